// Drives browsers with the commands of WebDriver (https://www.w3.org/TR/webdriver2/): WebKit over HTTP, by WebKitWebDriver, and
// Firefox by Marionette (https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html), which has the same commands
// under other names and needs no driver program.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// Each command's method and path in WebDriver, and its name in Marionette.
const commands = {
	navigate: ["POST", "/url", "WebDriver:Navigate"],
	find: ["POST", "/element", "WebDriver:FindElement"],
	click: ["POST", "/element/{id}/click", "WebDriver:ElementClick"],
	type: ["POST", "/element/{id}/value", "WebDriver:ElementSendKeys"],
	run: ["POST", "/execute/sync", "WebDriver:ExecuteScript"],
	cookies: ["GET", "/cookie", "WebDriver:GetCookies"],
};

// Browser is a window. Its scripts run in the page, exempt from the page's policy.
export class Browser {
	constructor(name, send, close) {
		Object.assign(this, { name, send, close });
	}

	async find(selector) {
		const element = await this.send("find", { using: "css selector", value: selector });
		return { id: Object.values(element)[0] };
	}

	open(url) {
		return this.send("navigate", { url });
	}

	async click(selector) {
		await this.send("click", await this.find(selector));
	}

	async type(selector, text) {
		await this.send("type", { ...(await this.find(selector)), text });
	}

	run(script, ...args) {
		return this.send("run", { script: `return ${script}`, args });
	}

	cookies() {
		return this.send("cookies", {});
	}

	// until waits until an expression is true in the page. The page may navigate meanwhile.
	async until(expression) {
		for (const end = Date.now() + 600_000; Date.now() < end; await sleep(50)) {
			if (await this.run(expression).catch(() => false)) return;
		}
		throw new Error(`${this.name}: never ${expression}; at ${await this.run("location.href + document.body.innerText")}`);
	}
}

async function freePort() {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address();
	server.close();
	return port;
}

// run starts a program and ends it when this process exits.
function run(program, args, env) {
	const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "ignore"] });
	process.on("exit", () => child.kill());
	return child;
}

async function end(child) {
	const ended = once(child, "exit");
	child.kill();
	await ended;
}

// patiently retries while a program starts.
async function patiently(attempt) {
	for (const end = Date.now() + 600_000; ; await sleep(100)) {
		try {
			return await attempt();
		} catch (error) {
			if (Date.now() > end) throw error;
		}
	}
}

// webKit starts WebKitGTK (Debian package webkit2gtk-driver) on a virtual screen (xvfb).
export async function webKit() {
	const screen = run("Xvfb", ["-displayfd", "1", "-screen", "0", "1360x900x24"]);
	const [number] = await once(screen.stdout, "data");
	const port = await freePort();
	const driver = run("WebKitWebDriver", [`--port=${port}`], { DISPLAY: `:${String(number).trim()}` });
	const ask = async (method, path, body) => {
		const answer = await fetch(`http://127.0.0.1:${port}/session${path}`, { method, body: body && JSON.stringify(body) });
		const { value } = await answer.json();
		if (!answer.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
		return value;
	};
	const { sessionId } = await patiently(() => ask("POST", "", { capabilities: {} }));
	const send = (command, { id, ...body }) => {
		const [method, path] = commands[command];
		return ask(method, `/${sessionId}${path.replace("{id}", id)}`, method === "POST" ? body : undefined);
	};
	return new Browser("WebKit", send, async () => {
		await ask("DELETE", `/${sessionId}`);
		await end(driver);
		await end(screen);
	});
}

// messages yields Marionette's messages: JSON with a length prefix.
async function* messages(socket) {
	let received = Buffer.alloc(0);
	for await (const chunk of socket) {
		received = Buffer.concat([received, chunk]);
		for (let colon; (colon = received.indexOf(":")) > 0; ) {
			const end = colon + 1 + Number(received.subarray(0, colon));
			if (received.length < end) break;
			yield JSON.parse(received.subarray(colon + 1, end));
			received = received.subarray(end);
		}
	}
}

// firefox starts Firefox (Debian package firefox-esr).
export async function firefox() {
	const port = await freePort();
	const folder = mkdtempSync(join(tmpdir(), "firefox"));
	writeFileSync(join(folder, "user.js"), `user_pref("marionette.port", ${port});\n`);
	const program = run("firefox-esr", ["--marionette", "--headless", "--no-remote", "--profile", folder], { HOME: folder });
	const socket = await patiently(async () => {
		const socket = connect(port, "127.0.0.1");
		await once(socket, "connect");
		return socket;
	});
	const answers = messages(socket);
	await answers.next(); // a greeting
	const ask = async (name, parameters) => {
		const message = JSON.stringify([0, 0, name, parameters]);
		socket.write(`${Buffer.byteLength(message)}:${message}`);
		const [, , error, result] = (await answers.next()).value;
		if (error) throw new Error(`${name}: ${error.error}: ${error.message}`);
		return result && "value" in result ? result.value : result;
	};
	await ask("WebDriver:NewSession", {});
	const send = (command, parameters) => ask(commands[command][2], parameters);
	return new Browser("Firefox", send, async () => {
		socket.destroy();
		await end(program);
		rmSync(folder, { recursive: true, maxRetries: 5, retryDelay: 200 });
	});
}
