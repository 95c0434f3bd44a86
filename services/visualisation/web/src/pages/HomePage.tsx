import { useSession } from '../app/session';
import { useI18n } from '../i18n';
import { Page } from '../ui/Page';
import { AnalystHome, InspectorHome, OperatorHome, ResidentHome } from './home/others';
import { OfficerHome } from './home/OfficerHome';
import { VendorHome } from './home/VendorHome';

export default function HomePage() {
  const { t } = useI18n();
  const { identity } = useSession();
  const h = t.home;
  const first = identity?.name.split(' ')[0] ?? '';
  const screens: Record<string, [string, string, React.ComponentType]> = {
    officer: [h.officerTitle, h.officerLead, OfficerHome],
    vendor: [h.vendorTitle, h.vendorLead, VendorHome],
    analyst: [h.analystTitle, h.analystLead, AnalystHome],
    resident: [h.residentTitle, h.residentLead, ResidentHome],
    operator: [h.operatorTitle, h.operatorLead, OperatorHome],
    inspector: [h.inspectorTitle, h.inspectorLead, InspectorHome],
    'review-board': [h.inspectorTitle, h.inspectorLead, InspectorHome],
  };
  const [title, lead, Screen] = screens[identity?.id ?? ''] ?? screens[identity?.role ?? ''] ?? [h.analystTitle, h.analystLead, AnalystHome];
  return (
    <Page title={title} lead={`${h.hello(first)}. ${lead}`}>
      <Screen />
    </Page>
  );
}
