/** What the server takes as a label. */
export const LABEL = /^[a-zA-Z0-9_/-]+$/;
