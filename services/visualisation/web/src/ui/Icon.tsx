/** One set of line icons of 24 × 24, always beside a word or with a label on their button. */
const paths = {
  home: 'M4 11l8-7 8 7v9h-5v-6h-6v6H4z',
  map: 'M9 4L3 6v14l6-2 6 2 6-2V4l-6 2zM9 4v14M15 6v14',
  scenario: 'M6 4v16M6 8c0 5 12 3 12 8v4M18 16l-3 3M18 16l3 3M6 4l-2 2M6 4l2 2',
  forecast: 'M3 19h18M4 15l5-5 4 3 7-8M16 5h4v4',
  measure: 'M4 10v4h4l7 5V5L8 10zM18 9a4 4 0 010 6',
  catalogue: 'M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0',
  agreement: 'M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h5',
  person: 'M12 12a4 4 0 100-8 4 4 0 000 8zM4 21c0-9 16-9 16 0',
  desk: 'M3 14h18v6H3zM12 11a3 3 0 100-6 3 3 0 000 6zM7 14c0-4 10-4 10 0',
  exchange: 'M4 8h15l-4-4M20 16H5l4 4',
  offer: 'M4 5h16v14H4zM12 9v6M9 12h6',
  log: 'M5 6h1M5 12h1M5 18h1M9 6h11M9 12h11M9 18h11',
  source: 'M12 15V4M8 8l4-4 4 4M4 14v6h16v-6',
  sensor: 'M12 13a2 2 0 100-4 2 2 0 000 4zM12 13v8M7 16a7 7 0 010-10M17 16a7 7 0 000-10',
  operations: 'M3 12h4l3-8 4 16 3-8h4',
  mandate: 'M9 11a3 3 0 100-6 3 3 0 000 6zM3 20c0-7 12-7 12 0M15 9h6M18 6l3 3-3 3',
  transaction: 'M17 7a6 6 0 100 10M4 10h9M4 14h9',
  inspection: 'M10.500 17a6.500 6.500 0 100-13 6.500 6.500 0 000 13zM15.500 15.500L21 21M8 10.500l2 2 3-4',
  close: 'M6 6l12 12M18 6L6 18',
  menu: 'M4 7h16M4 12h16M4 17h16',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  right: 'M9 6l6 6-6 6',
  warning: 'M12 4L2 20h20zM12 10v5M12 17.5v.5',
  info: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 11v6M12 7.5v.5',
  good: 'M12 21a9 9 0 100-18 9 9 0 000 18zM8 12l3 3 5-6',
  stop: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  offline: 'M3 3l18 18M5 12a10 10 0 014-2.500M19 12a10 10 0 00-5-2.800M8.500 15.500a5 5 0 017 0M12 19v.5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="dmi-icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
