/** The last resort: an error in the application itself is shown in words, never as a white page. */
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { Heading1, Paragraph, PrimaryActionButton } from '@utrecht/component-library-react';
import { useI18n } from '../i18n';

export class Crash extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch(error: Error, info: ErrorInfo) {
    console.error(error, info.componentStack);
  }

  override render() {
    return this.state.failed ? <CrashPage /> : this.props.children;
  }
}

function CrashPage() {
  const { t } = useI18n();
  return (
    <main className="dmi-page dmi-stack" style={{ padding: 24 }}>
      <Heading1>{t.shell.crashTitle}</Heading1>
      <Paragraph>{t.shell.crashText}</Paragraph>
      <p>
        <PrimaryActionButton onClick={() => window.location.reload()}>{t.shell.reload}</PrimaryActionButton>
      </p>
    </main>
  );
}
