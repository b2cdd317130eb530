import { Component, type ReactNode } from "react";

type Props = { fallback: (error: unknown, again: () => void) => ReactNode; children: ReactNode };

/** Keeps a fault of one part of the window from blanking the others. */
export class ErrorBoundary extends Component<Props, { error: unknown; failed: boolean }> {
  override state = { error: null, failed: false };

  static getDerivedStateFromError(error: unknown) {
    return { error, failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return this.props.fallback(this.state.error, () => this.setState({ error: null, failed: false }));
  }
}
