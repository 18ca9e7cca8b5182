/**
 * A replica shows the disk server the certificate with which it was started, for as long as it lives: the records of its generations
 * name that one. So a person must hear in good time that it will expire, however often the files are renewed.
 */
import type { Identity } from './credentials.ts';

const DAY_MS = 86_400_000;
/** Time enough to plan a hand-over. */
export const WARN_DAYS = 30;

/** What to say of a certificate that expires soon, or has expired; undefined if there is time. */
export function expiryWarning(identity: Pick<Identity, 'notAfter'>, nowMs: number): string | undefined {
  const daysLeft = Math.floor((identity.notAfter.getTime() - nowMs) / DAY_MS);
  if (daysLeft >= WARN_DAYS) return undefined;
  const when = daysLeft < 0 ? 'has expired' : `expires in ${daysLeft} days`;
  return `the certificate with which this replica was started ${when}: renew it, and hand over to a replica that was started with the new one`;
}

/** Says so at once, and every day. */
export function watchExpiry(identity: Pick<Identity, 'notAfter'>, say: (line: string) => void): { close(): void } {
  const look = (): void => {
    const warning = expiryWarning(identity, Date.now());
    if (warning !== undefined) say(warning);
  };
  look();
  const days = setInterval(look, DAY_MS);
  days.unref();
  return { close: () => clearInterval(days) };
}
