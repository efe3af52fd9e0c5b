// What stands for the public internet in the tests: every request of the host's own that leaves workerd comes here.

/** Answers as a few servers of other people's would. */
export async function answerFromOutside(request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (url.hostname === "moved.egress.test") return Response.redirect(decodeURIComponent(url.search.slice(1)), 302);
  if (url.hostname.endsWith(".egress.test")) {
    const body = await request.text();
    const sent = `${request.method} ${url.host}${url.pathname} ${body}`;
    return new Response(sent, { status: url.pathname === "/teapot" ? 418 : 200, headers: { "x-from": "outside" } });
  }
  return new Response("There is no such host.", { status: 530 });
}
