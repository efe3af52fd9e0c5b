// An imported .html file is its text.
declare module "*.html" {
  const text: string;
  export default text;
}
