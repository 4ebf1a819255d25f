// The npm package @crepe-checkout/client.

export * from "./client.ts";
export * from "./embed.ts";
