// Icons of `<direct-put>`: paths of 24 by 24 units, drawn as lines.
export const FILE = 'M14 3H7a1 1 0 0 0-1 1v16a1 1 0 0 0 1 1h10a1 1 0 0 0 1-1V7zv4h4';
export const UPLOAD = 'M12 16V4M7 9l5-5 5 5M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4';
export const PAUSE = 'M8.5 5v14M15.5 5v14';
export const PLAY = 'M8 5l11 7-11 7z';
export const CROSS = 'M6 6l12 12M18 6L6 18';
export const RETRY = 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5';
export const UNDO = 'M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-4';
export const DOWN = 'M6 9l6 6 6-6';
