/** The head of every page: its title, what it is for, and its main actions. Sets the document's title. */
import { useEffect, type ReactNode } from 'react';
import { Heading1, Paragraph } from '@utrecht/component-library-react';
import { useNames } from '../app/names';
import { RouteLink } from '../app/router';
import { useI18n } from '../i18n';

interface PageProps {
  title: string;
  lead?: string;
  actions?: ReactNode;
  back?: { to: string; label: string };
  wide?: boolean;
  children: ReactNode;
}

export function Page({ title, lead, actions, back, wide, children }: PageProps) {
  const { t } = useI18n();
  const { city } = useNames();
  useEffect(() => {
    document.title = `${title} · ${t.shell.product} ${city}`.trimEnd();
  }, [title, t, city]);
  return (
    <div className={wide ? 'dmi-page dmi-page--wide' : 'dmi-page'}>
      {back ? (
        <p className="dmi-page__back">
          <RouteLink to={back.to}>← {back.label}</RouteLink>
        </p>
      ) : null}
      <div className="dmi-page__head">
        <div>
          <Heading1>{title}</Heading1>
          {lead ? <Paragraph className="dmi-lead">{lead}</Paragraph> : null}
        </div>
        {actions ? <div className="dmi-actions">{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}
