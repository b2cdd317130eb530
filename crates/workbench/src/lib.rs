//! The desk: connections, approval inbox, client tools, secrets
