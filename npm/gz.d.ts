// What esbuild makes of a compressed file: its bytes in Base64.
declare module '*.gz' {
  const base64: string;
  export default base64;
}
