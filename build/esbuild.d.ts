// The builder isolate imports esbuild under the name that its Worker code gives it: "./esbuild.js".
export const initialize: typeof import("esbuild-wasm").initialize;
export const build: typeof import("esbuild-wasm").build;
