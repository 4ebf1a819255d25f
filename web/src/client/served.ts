// The client as the server hands it out, at <server>/v1/client.js: it calls the server that it came from.

import { WaffoPancake as Client, type WaffoPancakeConfig } from "./client.ts";

export { WaffoPancakeError } from "./client.ts";

export class WaffoPancake extends Client {
	constructor(config: WaffoPancakeConfig) {
		super({ ...config, baseUrl: config.baseUrl ?? new URL("..", import.meta.url).href });
	}
}
