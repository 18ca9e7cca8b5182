/** How long certificates are valid unless told: apart from keys.ts, so that help texts need not load what makes certificates. */
export const AUTHORITY_DAYS = 3650;
export const HOST_DAYS = 730;
