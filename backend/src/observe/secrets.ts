/** What an API key of DockHost looks like wherever it turns up in a text. */
const API_KEY = /dkh_[A-Za-z0-9_-]+/g;

/** Masks what looks like a key of ours, and `secrets`: keys of other main servers look like anything. */
export const maskSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.reduce((masked, secret) => masked.replaceAll(secret, "***"), text.replace(API_KEY, "dkh_***"));

const SECRET_FIELDS = [
  "DOCKHOST_API_KEY",
  "apiKey",
  "api_key",
  "token",
  "password",
  "authorization",
  "Authorization",
  "cookie",
  "Cookie",
  '["set-cookie"]',
  "sshPublicKey",
  "sshPublicKeys",
  "SSH_PUB_KEY",
];

/** pino's redact has no "at any depth": a wildcard stands for exactly one level, so each level is spelled out. */
const LEVELS = ["", "*", "*.*", "*.*.*"];

/** Every path at which pino looks for a secret field. */
export const SECRET_PATHS = LEVELS.flatMap((level) => SECRET_FIELDS.map((field) => join(level, field)));

function join(level: string, field: string): string {
  return level === "" || field.startsWith("[") ? level + field : `${level}.${field}`;
}
