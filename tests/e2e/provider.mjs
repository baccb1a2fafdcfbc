// A real provider of OpenID Connect, by others: whoever says so is let in, under any name.
//
//     node tests/e2e/provider.mjs REDIRECT [most claims in the ID token too: all]

import { createServer as open } from "node:http";
import { createServer as openTls } from "node:https";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

export const SECRET = "a secret of the client's";

/** Listens on a free port, by TLS where a key is given; gives its issuer, and what stops it. */
export async function provide(redirect, { all = false, tls } = {}) {
    // npm puts it beside the build, not into the source tree.
    const there = resolve(process.env.CARGO_TARGET_DIR || "target", "oidc/node_modules/oidc-provider/lib/index.js");
    const { default: Provider } = await import(pathToFileURL(there));
    const server = tls ? openTls(tls) : open();
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    const issuer = `http${tls ? "s" : ""}://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
        clients: [{ client_id: "hearken", client_secret: SECRET, redirect_uris: [redirect] }],
        pkce: { required: () => true },
        claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"] },
        conformIdTokenClaims: !all,
        findAccount: (_, accountId) => ({
            accountId,
            claims: () => ({ sub: accountId, preferred_username: accountId, email: accountId, email_verified: true }),
        }),
        cookies: { keys: ["for tests only"] },
    });
    server.on("request", provider.callback());
    return { issuer, close: () => server.close() };
}

if (process.argv[1]?.endsWith("e2e/provider.mjs")) {
    const [redirect, all] = process.argv.slice(2);
    const { issuer } = await provide(redirect, { all: all === "all" });
    console.log(issuer);
    // It ends with whoever started it.
    process.stdin.on("end", () => process.exit()).resume();
}
