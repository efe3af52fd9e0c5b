// The type checker's isolate imports the compiler under the name that its Worker code gives it: "./typescript.js".
export { default } from "typescript-6";
