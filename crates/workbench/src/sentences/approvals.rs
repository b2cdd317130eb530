//! About calls that wait: why one is asked about, where it would reach, what keeps it within bounds, what is wrong with
//! a decision or a rule.

use loci_api::{said::Said, sentences};

sentences! {
    /// What kept a call within bounds, as it is kept in the log.
    pub(crate) enum Bounds {
        RanFree => "not confined: it ran with all the rights of the person",
        ReadsBelow { folders: String } => "reads only below {folders}",
        WritesBelow { folders: String } => "writes only below {folders}",
    }
}

sentences! {
    pub(crate) enum Approval {
        // What the rules say, and why.
        BecauseRuleDenies => "A rule of the person denies this call.",
        BecauseDenyUnchecked { problem: Said } => "A rule that may deny this call could not be checked: {problem}.",
        BecauseRuleAsks => "A rule says to ask about this call.",
        BecauseUnchecked { problem: Said } => "A rule could not be checked: {problem}.",
        BecauseRuleAllows => "A rule allows this call.",
        BecauseToolChanged => "A rule allowed this tool, but the tool was changed since the rule was made.",
        BecauseNoRule => "No rule decides about this call.",
        BecauseElsewhere => "Another program offered this tool, and only that one can run it.",
        BecauseUnknownEnd => "Loci ended while this call ran. Nobody knows how far it came.",
        BecauseFound =>
            "This began without this desk, so no rule decides: another program may be about to answer.",
        BecauseQuestion => "The agent asks you something.",
        BecauseNoFolder => "No folder is opened to this agent. Choose one to allow this call.",

        // Why a call cannot be allowed here.
        OnlyDenied =>
            "Another program offered this tool, and only that one can run it. Here it can only be denied.",

        // Where a call would reach.
        ReachFolder { path: String } => "{path} (a folder: its file names)",
        ReachNames { path: String } => "{path} (file names)",
        ReachFile { path: String, bytes: u64 } => "{path} ({bytes} bytes)",
        ReachSearch { path: String, query: String } => "{path} for {query}",
        ReachWhole { path: String, bytes: usize, before: usize } => "{path} ({bytes} bytes, {before} before)",
        ReachNewFile { path: String, lines: Said } => "{path} (a new file, {lines})",
        ReachChange { path: String, lines: Said, removed: usize } => "{path} ({lines} added, {removed} removed)",
        OneLine => "1 line",
        SomeLines { number: usize } => "{number} lines",
        ReachCommand { folder: String, seconds: u64 } => "in {folder}, for at most {seconds} seconds",
        ReachBrowser { host: String } => "{host} in your browser",
        ReachClipboardRead => "what is in your clipboard now",
        ReachClipboardWrite { characters: usize } => "your clipboard ({characters} characters)",
        ReachQuestion { question: String } => "{question}",
        ReachOwn { language: String } => "your own {language} tool, confined, without the network",
        ReachOwnNetwork { language: String } => "your own {language} tool, confined, with the network",
        WouldFail { said: String } => "{said}",

        // What will keep a command within bounds.
        CommandConfined => "It may write only below the opened folder and reaches no network.",
        CommandFree => "Not confined: it runs with all your rights.",

        // What is wrong with an answer.
        AnsweredTwice => "This request is being answered already.",
        AnsweredGone => "This request waits no longer: it was answered or cancelled elsewhere.",
        AnswerChanged { tools: String } =>
            "The tool {tools} is not what it was when you were asked. Look at the call again and decide anew.",
        AnswerAlreadyRan => "This call ran already; what came of it is kept. Allow it to send that to the agent.",
        AnswerUnknown =>
            "Loci ended while this call ran, and nobody knows how far it came. Report that to the agent, or allow it to run once more.",
        AnswerRuleDenies { because: Said } => "{because} Revoke the rule to allow the call.",
        AnswerElsewhere { tool: String } =>
            "{tool} was offered by another program, and only that one can run it. Answer there, or deny the call.",
        AnswerNoFolder { tool: String } =>
            "No folder is opened to this agent, so {tool} cannot run. Choose a folder, or deny the call.",
        AnswerLongReason { most: usize } => "The reason is longer than {most} characters.",
        AnswerNotJson { said: String } => "The changed arguments are not a JSON object: {said}.",
        AnswerNotObject => "Changed arguments must be a JSON object.",
        CallNotRunning => "This call does not run now.",

        // What is wrong with a rule.
        RuleRefused { problem: Said } => "This cannot be a rule: {problem}.",
        RuleNotUnderstood => "This rule is not understood. Revoke it and make it anew.",
        RuleUnknown => "There is no such rule.",
        RuleTooMany { most: usize } => "There are {most} rules. Revoke some first.",
        RuleNoteLong => "The note is too long.",
        RuleNoTurn => "Which message this run answers is not known. Choose the conversation.",
        RuleAgentUnknown { name: String } => "There is no agent called {name}.",
        RuleAgentSeveral { name: String } => "There are several agents called {name}. Write the agent's id.",
        RuleText { problem: Said, at: usize } => "{problem} (at character {at})",
        RuleTextBegin => "A rule begins with allow, ask or deny",
        RuleTextTool => "Name a tool",
        RuleTextPattern => "The brackets hold a pattern, for example git status*",
        RuleTextOpen => "The bracket is not closed",
        RuleTextArgument => "Name an argument",
        RuleTextCondition => "Write name: \"pattern\" or name = value",
        RuleTextQuotes => "A pattern stands in quotes",
        RuleTextComma => "Expected a comma or the closing bracket",
        RuleTextJson { said: String } => "Expected a JSON value: {said}",
        RuleTextWhere => "Say where it holds: everywhere, for agent NAME, in conversation ID of NAME",
        RuleScope { said: String } => "its scope is not understood: {said}",
        RuleMatches { said: String } => "what it matches is not understood: {said}",
        RuleNoTool => "a rule names a tool",
        RuleLongName { most: usize } => "a name is longer than {most} characters",
        RuleAnyTool => "a rule that allows names one tool: * would allow tools you have never seen",
        RuleConditions { most: usize } => "a rule has 1 to {most} conditions",
        RuleCondition => "a condition either matches a pattern or equals a value",
        PatternEmpty => "the pattern is empty",
        PatternLong { most: usize } => "the pattern is longer than {most} characters",
        PatternBackslash => "the pattern ends in a backslash that escapes nothing",
        PatternLongValue { most: usize } => "the value is longer than {most} characters, too long to compare",
        ArgumentsNotObject => "the arguments of the call are not a JSON object",
        ArgumentsNeeded => "arguments must be a JSON object, or its text.",
    }
}
