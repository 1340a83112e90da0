//! What a hit came from: platform, app version, device name, bot class; told by headers or by the user agent.

/// What a hit came from.
///
/// ```
/// use tower_analytics::Device;
///
/// let device = Device::of("", "", "", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
/// assert_eq!(device.bot().map(|bot| bot.class()), Some("search"));
///
/// let device = Device::of("android", "3.10.0", "Pixel 9", "okhttp/5.0");
/// assert_eq!((device.platform(), device.app_version(), device.name()), ("Android", "3.10.0", "Pixel 9"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    platform: Box<str>,
    app_version: Box<str>,
    name: Box<str>,
    bot: Option<Bot>,
}

/// Why a hit counts as made by a machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bot {
    class: Box<str>,
    reason: Box<str>,
}

impl Bot {
    /// A class and what gave it away.
    #[must_use]
    pub fn new(class: &str, reason: &str) -> Self {
        Self { class: class.into(), reason: reason.into() }
    }

    /// `search`, `ai`, `preview`, `monitor`, `feed`, `seo`, `headless`, `scanner`, or `other`.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.class
    }

    /// The part of the user agent that gave it away.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Device {
    /// From the values of `X-Platform`, `X-App-Version`, `X-Device-Info` and `User-Agent`; empty where absent.
    /// The three headers win over the user agent.
    #[must_use]
    pub fn of(platform: &str, app_version: &str, name: &str, user_agent: &str) -> Self {
        let guess = if user_agent.is_empty() { Guess::default() } else { guess(user_agent) };
        let or = |given: &str, guessed: String| {
            if given.is_empty() { guessed.into() } else { given.into() }
        };
        Self {
            platform: or(known_platform(platform), guess.platform.to_owned()),
            app_version: or(app_version, guess.version),
            name: or(name, guess.name),
            bot: bot(user_agent),
        }
    }

    /// `Web`, `Android`, `iOS`, `Windows`, `macOS`, `Linux`, `API client`, whatever else `X-Platform` said, or empty if unknown.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// The app's version; empty if unknown.
    #[must_use]
    pub fn app_version(&self) -> &str {
        &self.app_version
    }

    /// A model, or browser and system; empty if unknown.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bot class, if it is one.
    #[must_use]
    pub fn bot(&self) -> Option<&Bot> {
        self.bot.as_ref()
    }

    pub(crate) fn with_bot(self, bot: Option<Bot>) -> Self {
        Self { bot, ..self }
    }

    /// No text longer than the headers it usually comes from may be.
    pub(crate) fn bounded(mut self) -> Self {
        let Self { platform, app_version, name, bot } = &mut self;
        let fields = [(platform, 64), (app_version, 64), (name, 128)];
        let bot = bot.iter_mut().flat_map(|bot| [(&mut bot.class, 32), (&mut bot.reason, 128)]);
        for (text, most) in fields.into_iter().chain(bot).filter(|(text, most)| text.len() > *most) {
            let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
            *text = text[..end].into();
        }
        self
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn from_parts(platform: &str, app_version: &str, name: &str, bot: Option<Bot>) -> Self {
        Self { platform: platform.into(), app_version: app_version.into(), name: name.into(), bot }
    }
}

/// One spelling for the platforms everybody has; others stay as they came.
fn known_platform(given: &str) -> &str {
    const KNOWN: [(&str, &str); 12] = [
        ("web", "Web"),
        ("browser", "Web"),
        ("android", "Android"),
        ("ios", "iOS"),
        ("iphone", "iOS"),
        ("ipados", "iOS"),
        ("windows", "Windows"),
        ("macos", "macOS"),
        ("darwin", "macOS"),
        ("linux", "Linux"),
        ("api", "API client"),
        ("api client", "API client"),
    ];
    KNOWN.iter().find(|(name, _)| name.eq_ignore_ascii_case(given)).map_or(given, |(_, shown)| shown)
}

#[derive(Default)]
struct Guess {
    platform: &'static str,
    version: String,
    name: String,
}

/// Browsers are `Web`; an app that names itself first (`Shop/3.2 (Android 14)`) gives its system and version; tools are API clients.
fn guess(user_agent: &str) -> Guess {
    let system = [
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("iOS", "iOS"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Macintosh", "macOS"),
        ("Mac OS X", "macOS"),
        ("macOS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
        ("X11", "Linux"),
    ]
    .iter()
    .find(|(token, _)| user_agent.contains(token))
    .map(|(_, system)| *system);
    if user_agent.starts_with("Mozilla/") || user_agent.starts_with("Opera/") {
        // In this order, because each of them also claims to be the ones after it.
        let browser = [
            ("Edg", "Edge"),
            ("OPR/", "Opera"),
            ("SamsungBrowser/", "Samsung Internet"),
            ("Firefox/", "Firefox"),
            ("FxiOS/", "Firefox"),
            ("CriOS/", "Chrome"),
            ("Chrome/", "Chrome"),
            ("Safari/", "Safari"),
        ]
        .iter()
        .find(|(token, _)| user_agent.contains(token))
        .map_or("Browser", |(_, browser)| browser);
        let name = system.map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}"));
        return Guess { platform: "Web", version: String::new(), name };
    }
    let product = user_agent.split([' ', '(']).next().unwrap_or_default();
    let (name, version) = product.split_once('/').unwrap_or((product, ""));
    const TOOLS: [&str; 12] =
        ["curl", "wget", "python", "go-http", "java", "okhttp", "reqwest", "axios", "node", "postmanruntime", "hyper", "grpc"];
    let lower = name.to_ascii_lowercase();
    let tool = TOOLS.iter().any(|tool| lower.starts_with(tool));
    // Apple's network library names the app first and itself after it.
    let apple = user_agent.contains("CFNetwork/").then_some("iOS");
    let platform = system.or(apple).filter(|_| !tool).filter(|system| *system != "ChromeOS").unwrap_or("API client");
    let version = if tool { String::new() } else { version.to_owned() };
    Guess { platform, version, name: if tool { product.to_owned() } else { name.to_owned() } }
}

/// What machines call themselves, most telling first; the last rows catch those that only say what they are.
const BOTS: [(&str, &str); 63] = [
    ("googlebot", "search"),
    ("bingbot", "search"),
    ("yandex", "search"),
    ("baiduspider", "search"),
    ("duckduckbot", "search"),
    ("applebot", "search"),
    ("slurp", "search"),
    ("qwantbot", "search"),
    ("petalbot", "search"),
    ("seznambot", "search"),
    ("adsbot-google", "search"),
    ("mediapartners-google", "search"),
    ("googleother", "search"),
    ("gptbot", "ai"),
    ("chatgpt-user", "ai"),
    ("oai-searchbot", "ai"),
    ("claudebot", "ai"),
    ("claude-", "ai"),
    ("anthropic", "ai"),
    ("perplexity", "ai"),
    ("ccbot", "ai"),
    ("bytespider", "ai"),
    ("amazonbot", "ai"),
    ("meta-externalagent", "ai"),
    ("mistralai", "ai"),
    ("facebookexternalhit", "preview"),
    ("twitterbot", "preview"),
    ("slackbot", "preview"),
    ("discordbot", "preview"),
    ("telegrambot", "preview"),
    ("whatsapp", "preview"),
    ("linkedinbot", "preview"),
    ("skypeuripreview", "preview"),
    ("mastodon", "preview"),
    ("embedly", "preview"),
    ("uptimerobot", "monitor"),
    ("pingdom", "monitor"),
    ("statuscake", "monitor"),
    ("betterstack", "monitor"),
    ("better uptime", "monitor"),
    ("datadog", "monitor"),
    ("newrelicpinger", "monitor"),
    ("site24x7", "monitor"),
    ("kube-probe", "monitor"),
    ("elb-healthchecker", "monitor"),
    ("googlehc", "monitor"),
    ("prometheus", "monitor"),
    ("blackbox", "monitor"),
    ("feedly", "feed"),
    ("feedbin", "feed"),
    ("feedburner", "feed"),
    ("ahrefsbot", "seo"),
    ("semrushbot", "seo"),
    ("mj12bot", "seo"),
    ("dotbot", "seo"),
    ("headlesschrome", "headless"),
    ("phantomjs", "headless"),
    ("zgrab", "scanner"),
    ("masscan", "scanner"),
    ("nmap", "scanner"),
    ("censys", "scanner"),
    ("nuclei", "scanner"),
    ("sqlmap", "scanner"),
];

fn bot(user_agent: &str) -> Option<Bot> {
    let lower = user_agent.to_ascii_lowercase();
    if let Some((token, class)) = BOTS.iter().find(|(token, _)| lower.contains(token)) {
        return Some(Bot::new(class, token));
    }
    // A word that ends in bot, crawler or spider; not Cubot, which makes phones.
    lower
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .find(|word| ["bot", "crawler", "spider", "scraper"].iter().any(|end| word.ends_with(end)) && *word != "cubot")
        .map(|word| Bot::new("other", word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_tell_platform_name_and_version() {
        for (agent, platform, name, version) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Web",
                "Chrome on Linux",
                "",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
                "Web",
                "Edge on Windows",
                "",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile Safari/604.1",
                "Web",
                "Safari on iOS",
                "",
            ),
            ("Shop/3.10.2 (Android 15; Pixel 9)", "Android", "Shop", "3.10.2"),
            ("Shop/512 CFNetwork/1568.100.1 Darwin/24.0.0", "iOS", "Shop", "512"),
            ("curl/8.5.0", "API client", "curl/8.5.0", ""),
            ("okhttp/5.0.0", "API client", "okhttp/5.0.0", ""),
            ("python-requests/2.32", "API client", "python-requests/2.32", ""),
            ("", "", "", ""),
        ] {
            let device = Device::of("", "", "", agent);
            assert_eq!((device.platform(), device.name(), device.app_version()), (platform, name, version), "{agent}");
            assert_eq!(device.bot(), None, "{agent}");
        }
    }

    #[test]
    fn headers_win_over_the_user_agent_and_known_platforms_have_one_spelling() {
        let device = Device::of("IOS", "2.0", "iPhone 17", "curl/8.5.0");
        assert_eq!((device.platform(), device.app_version(), device.name()), ("iOS", "2.0", "iPhone 17"));
        assert_eq!(Device::of("Garmin", "", "", "").platform(), "Garmin");
    }

    #[test]
    fn bots_have_a_class_and_a_reason() {
        for (agent, class, reason) in [
            ("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "search", "bingbot"),
            ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)", "ai", "gptbot"),
            ("kube-probe/1.31", "monitor", "kube-probe"),
            ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142.0", "headless", "headlesschrome"),
            ("acme-crawler/1.0", "other", "acme-crawler"),
        ] {
            assert_eq!(Device::of("", "", "", agent).bot(), Some(&Bot::new(class, reason)), "{agent}");
        }
        assert_eq!(Device::of("", "", "", "Mozilla/5.0 (Linux; Android 14; CUBOT KINGKONG) Chrome/140").bot(), None);
    }
}
