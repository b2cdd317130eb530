//! A scripted model server that speaks the providers' wire formats, and temporary servers for tests
