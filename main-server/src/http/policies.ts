// What a browser lets an answer of ours do. What stands inline does nothing anywhere, unless we have named it.

const SEALED = { "default-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'" };

/** For answers to programs, should a browser ever show one. */
export const ANSWER_POLICY = toHeader({ ...SEALED, "form-action": "'none'" });

/** What swagger-ui's own logo is coloured with, inline; a version with another one fails its test in `e2e/`. */
const LOGO_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

/** For the API's description, which is swagger-ui's page. */
export const DOCS_POLICY = toHeader({
  ...SEALED,
  "script-src": "'self'",
  "style-src": `'self' ${LOGO_STYLE}`,
  "img-src": "'self' data:",
  "connect-src": "'self'",
  "form-action": "'none'",
});

/** For the page. Its terminal makes style sheets as it runs, which say the response's own `nonce`. */
export const pagePolicy = (nonce: string): string =>
  toHeader({
    ...SEALED,
    "script-src": "'self'",
    "style-src": `'self' 'nonce-${nonce}'`,
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
  });

/** The page copies to the clipboard; beyond that it asks a browser for nothing that needs a permission. */
const REFUSED = [
  "accelerometer",
  "autoplay",
  "camera",
  "clipboard-read",
  "display-capture",
  "encrypted-media",
  "fullscreen",
  "gamepad",
  "geolocation",
  "gyroscope",
  "hid",
  "idle-detection",
  "local-fonts",
  "magnetometer",
  "microphone",
  "midi",
  "payment",
  "picture-in-picture",
  "publickey-credentials-get",
  "screen-wake-lock",
  "serial",
  "storage-access",
  "usb",
  "window-management",
  "xr-spatial-tracking",
];
export const PERMISSIONS_POLICY = ["clipboard-write=(self)", ...REFUSED.map((feature) => `${feature}=()`)].join(", ");

function toHeader(directives: Readonly<Record<string, string>>): string {
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources}`)
    .join("; ");
}
