// What is not shown unasked: values whose names say that they are secrets. The desk masks the same ones in its log
// (crates/workbench/src/approvals/masked.rs).
const WORDS = [
  "password",
  "passwd",
  "secret",
  "api_key",
  "apikey",
  "access_token",
  "authorization",
  "private_key",
];

export const MASK = "••••••";

export function namesSecret(name: string): boolean {
  const plain = name.toLowerCase().replaceAll("-", "_");
  return plain === "token" || WORDS.some((word) => plain.includes(word));
}

/** A JSON value with the secrets in it masked, however deep they are. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      namesSecret(name) && inner !== null ? MASK : withoutSecrets(inner),
    ]),
  );
}
