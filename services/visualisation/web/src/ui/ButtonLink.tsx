import { useLinkClick } from '../app/router';

/** A link that looks like a button: for going somewhere, never for doing something. */
export function ButtonLink({ to, children, primary }: { to: string; children: React.ReactNode; primary?: boolean }) {
  const click = useLinkClick(to);
  const kind = primary ? 'utrecht-button-link--primary-action' : 'utrecht-button-link--secondary-action';
  return (
    <a href={to} onClick={click} className={`utrecht-button-link utrecht-button-link--html-a ${kind}`}>
      {children}
    </a>
  );
}
