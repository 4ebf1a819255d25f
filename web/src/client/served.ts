// The client that the server serves at /v1/client.js. Its default baseUrl is that server.

import { WaffoPancake as Client, type WaffoPancakeConfig } from "./client.ts";

export { WaffoPancakeError } from "./client.ts";
export { openCheckout, resumeCheckout } from "./embed.ts";

export class WaffoPancake extends Client {
	constructor(config: WaffoPancakeConfig) {
		super({ ...config, baseUrl: config.baseUrl ?? new URL("..", import.meta.url).href });
	}
}
