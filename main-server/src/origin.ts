import { isIP } from "node:net";
import type { ListenAddress } from "./listen-address.ts";

/** Whether a request may come from this page. */
export type OriginRule = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * A browser names the page that a request comes from; that page must be ours: the public address, or the host asked
 * where that is one of ours too. Any other name can be made to lead to us by whoever owns it (DNS rebinding), and its
 * pages would then be the host asked. An address cannot, nor can `localhost`, nor a name that we were told to listen on.
 * What names no page is no browser, and has no cookies of ours that it could be tricked into sending.
 */
export function originRule(publicUrl: string | undefined, listen: readonly ListenAddress[] = []): OriginRule {
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  const ownNames = new Set(["localhost", ...listen.map(({ host }) => host.toLowerCase())]);
  return (origin, host) => {
    if (origin === undefined) return true;
    if (!URL.canParse(origin) || host === undefined) return false;
    const page = new URL(origin);
    if (page.origin === publicOrigin) return true;
    return isOurs(page.hostname, ownNames) && sameHost(page, host);
  };
}

function isOurs(hostname: string, ownNames: ReadonlySet<string>): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0 || ownNames.has(hostname);
}

/** The page's scheme decides which port goes without saying. */
function sameHost(page: URL, host: string): boolean {
  const asked = `${page.protocol}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === page.host;
}
