/** Errors of the interfaces: RFC 9457 problem documents, and what can go wrong before one arrives. */

/** Why a gate refused: a code of the framework, and where known the agreement and the moment. */
export interface Reason {
  code: string;
  detail: string;
  agreement?: string;
  moment?: string;
}

export interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  instance?: string;
  code?: string;
  agreement?: string | null;
  agreements?: string[];
  moment?: string | null;
  reasons?: (string | Reason)[];
  contact?: string | null;
  field?: string;
  rule?: string;
  errors?: { field?: string; rule?: string; value?: string }[];
}

/** The code of the first reason, as the framework names it: `wrong_purpose`, `ended`. */
export function codeOf(problem: ProblemDocument): string {
  const [first] = problem.reasons ?? [];
  const code = typeof first === 'object' ? first.code : (problem.code ?? problem.type?.split(':').at(-1) ?? '');
  return code.replaceAll('-', '_');
}

export type FailureKind = 'refused' | 'signedOut' | 'missing' | 'invalid' | 'busy' | 'offline' | 'server';

/** One failed call, with the kind of state that a page shows for it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly kind: FailureKind,
    readonly status: number,
    readonly problem: ProblemDocument,
    /** Seconds after which a retry makes sense, when the service said so. */
    readonly retryAfter: number | null = null,
    /** What comes of it: an action was not carried out, or what was read is read again by itself. */
    readonly left: 'undone' | 'repeats' | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }

  leaving(left: ApiError['left']): ApiError {
    return new ApiError(this.kind, this.status, this.problem, this.retryAfter, left);
  }
}

export function kindOf(status: number): FailureKind {
  if (status === 401) return 'signedOut';
  if (status === 403 || status === 451) return 'refused';
  if (status === 404 || status === 410) return 'missing';
  if (status === 429 || status === 503) return 'busy';
  if (status >= 400 && status < 500) return 'invalid';
  return 'server';
}

/** Turns an answer that is not a success into an error; never throws on a body that is not JSON. */
export async function toError(response: Response): Promise<ApiError> {
  const type = response.headers.get('content-type') ?? '';
  let problem: ProblemDocument = { status: response.status };
  if (type.includes('json')) {
    const body = (await response.json().catch(() => null)) as unknown;
    if (body !== null && typeof body === 'object') problem = body;
  }
  const wait = Number(response.headers.get('retry-after'));
  return new ApiError(kindOf(response.status), response.status, problem, wait > 0 ? wait : null);
}

export function offline(): ApiError {
  return new ApiError('offline', 0, {});
}

export function asApiError(reason: unknown): ApiError {
  if (reason instanceof ApiError) return reason;
  return new ApiError('server', 0, { detail: reason instanceof Error ? reason.message : undefined });
}
