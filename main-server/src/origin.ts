/** Whether a request may come from this page. */
export type OriginRule = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * A browser names the page that a request comes from; that page must be ours: the host asked, or the public address.
 * What names none is no browser, and has no cookies of ours that it could be tricked into sending.
 */
export function originRule(publicUrl: string | undefined): OriginRule {
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin;
  return (origin, host) => {
    if (origin === undefined) return true;
    if (!URL.canParse(origin) || host === undefined) return false;
    const page = new URL(origin);
    if (page.origin === publicOrigin) return true;
    return page.host !== "" && sameHost(page, host);
  };
}

/** The page's scheme decides which port goes without saying. */
function sameHost(page: URL, host: string): boolean {
  const asked = `${page.protocol}//${host}`;
  return URL.canParse(asked) && new URL(asked).host === page.host;
}
