// Starting points for a new agent: who it is, and what it should keep in blocks of their own. The words are in the
// language files, because the agent reads them and the person too.

export type Template = {
  name: string;
  /** Labels of blocks besides persona and human. */
  blocks: readonly string[];
};

export const TEMPLATES: readonly Template[] = [
  { name: "companion", blocks: [] },
  { name: "researcher", blocks: ["findings"] },
  { name: "project", blocks: ["project", "decisions"] },
  { name: "tutor", blocks: ["progress"] },
];
