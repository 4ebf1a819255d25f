// A merchant's endpoint: exits with 0 when the SDK believes body and X-Waffo-Signature under the public key.
import { verifyWebhook } from "@waffo/pancake-ts";

const [body, header, publicKey] = process.argv.slice(2);
try {
  verifyWebhook(body, header, { publicKey });
} catch {
  process.exit(1);
}
