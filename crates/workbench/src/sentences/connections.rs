//! About servers elsewhere: why one does not answer, and what is wrong with how it was entered.

use loci_api::{said::Said, sentences};

sentences! {
    pub(crate) enum Connecting {
        // What a look at a server found.
        ConnectionHere => "This machine's own agents.",
        ConnectionAnswers { name: String, version: String } => "{name} answers (version {version}).",
        ConnectionNotLetta { name: String, status: String } =>
            "{name} answers, but not as a Letta server does (status {status}). Check the address.",
        ConnectionNoAgents { name: String, status: String } =>
            "{name} answers, but cannot list its agents (status {status}).",
        ConnectionKeyRefused { name: String } => "{name} answers, but does not accept the key.",
        ConnectionKeyMissing { name: String } => "{name} answers, but wants a key.",
        ConnectionNoAnswer { name: String, seconds: u64 } => "{name} did not answer within {seconds} seconds.",

        // Why a request to it got no answer.
        ConnectionSlow { name: String, seconds: u64 } =>
            "{name} did not answer within {seconds} seconds. It may be busy or gone; try again.",
        ConnectionSlowWrite { name: String, seconds: u64 } =>
            "{name} did not answer within {seconds} seconds. It may be busy or gone; try again. It may have received the request: look before you repeat it.",
        ConnectionUnreachable { name: String, cause: Said } =>
            "{name} cannot be reached: {cause}. Check that it runs and that its address is right.",
        ConnectionCertificate { name: String, cause: Said } =>
            "The certificate of {name} is not accepted ({cause}). If it is your own, name its file in the connection.",
        ConnectionBroken { name: String, cause: String } =>
            "{name} broke off its answer, or does not speak HTTP ({cause}).",
        ConnectionBrokenWrite { name: String, cause: String } =>
            "{name} broke off its answer, or does not speak HTTP ({cause}). It may have received the request: look before you repeat it.",
        ConnectionRedirect { name: String, place: String } =>
            "{name} sends requests on to {place}. They are not followed, as the key would go along: enter that address in the connection if it is right.",
        ConnectionGarbage { name: String, what: Said } =>
            "{name} does not answer as a Letta server does: {what}. Check the address of the connection.",
        ConnectionTooLarge => "The request is too large to be passed on.",

        // Parts of those sentences.
        CauseRefused => "nothing listens at that port",
        CauseUnknownHost => "its name is not known",
        CauseNoWay => "no way leads there from this network",
        CauseNotInTime { seconds: u64 } => "no connection within {seconds} s",
        CauseNoEncryption { said: String } => "no encrypted connection ({said})",
        CauseOther { said: String } => "{said}",
        CertificateExpired => "it has expired",
        CertificateTooEarly => "it is not valid yet",
        CertificateRevoked => "it was revoked",
        CertificateOtherName => "it was made for another name",
        CertificateUnknownIssuer => "nobody this computer trusts has signed it",
        CertificateOwn => "it is signed by itself, or not made for a server",
        GarbagePage => "a web page came instead of data",
        GarbagePageStatus { status: String } => "a web page came, with the status {status}",
        GarbageTooLarge { megabytes: u64 } => "an answer of more than {megabytes} MB",
        GarbageNotJson => "what it calls JSON is none",

        // A connection as it was entered.
        AddressMissing => "The address of the server is missing.",
        AddressTooLong { most: usize } => "The address is longer than {most} characters.",
        AddressNone => "That is not an address. It looks like https://letta.example.org or http://127.0.0.1:8283.",
        AddressScheme => "The address begins with http:// or https://.",
        AddressNoServer => "The address names no server.",
        AddressWithKey => "The address holds a user name or password. Enter the key in its own field.",
        AddressWithQuery => "The address holds a question mark or number sign. Leave that part out.",
        AddressOpen =>
            "The address begins with http://: whoever is on the way can read the messages and the key. Use https:// if the server has it.",
        KeyOdd => "The key holds spaces or characters that no key has. Copy it again.",
        CertificateFile { path: String, why: Said } => "The certificate file {path} {why}.",
        CertificateFileWholePath => "must be named with its whole path",
        CertificateFileUnreadable { said: String } => "cannot be read ({said})",
        CertificateFileNone => "is not a file",
        CertificateFileTooLarge => "is larger than 1 MB",
        CertificateFileNotPem => "is not in PEM form",
        CertificateFileEmpty => "holds no certificate (looked for “BEGIN CERTIFICATE”)",
        CertificatesUnusable { said: String } => "The certificates cannot be used: {said}.",
        HttpClient { said: String } => "The HTTP client cannot be made: {said}",
        ConnectionUnknown { id: String } => "There is no connection {id}.",
        ConnectionNameLong { most: usize } => "A name has at most {most} characters and is one line.",
        ConnectionNameTaken { name: String } => "There is a connection named {name} already.",
        ConnectionTooMany { most: usize } => "There are {most} connections already. Remove one first.",
        ConnectionFixed => "This machine is always there; it can be neither changed nor removed.",
        ConnectionOtherKey { name: String, address: String } =>
            "The key of {name} was given for {address}. Enter the key for the new address with it, or an empty one to send none.",
        ConnectionKeyLeft { name: String, why: Said } => "{name} is removed, but its key is still kept. {why}.",
        ConnectionKeyGone { name: String } =>
            "{name} has no key any more: it was kept for an earlier session only. Enter it again.",
        ConnectionUnusable { name: String, why: Said } => "{name} cannot be used. {why}",
        ConnectionKeyUnreadable { name: String, why: Said } => "The key of {name} cannot be read. {why}.",
    }
}
