//! A mail server that takes everything: RFC 5321 as far as a client needs it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A message that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) data: String,
}

impl Received {
    /// The six digits of the code in the subject line.
    pub(crate) fn code(&self) -> String {
        let subject = self.data.lines().find(|line| line.starts_with("Subject: ")).expect("a subject");
        let digits: String = subject.chars().filter(char::is_ascii_digit).take(6).collect();
        assert_eq!(digits.len(), 6, "{subject}");
        digits
    }
}

pub(crate) struct Sink {
    pub(crate) port: u16,
    mails: Arc<Mutex<Vec<Received>>>,
    calls: Arc<AtomicUsize>,
}

impl Sink {
    pub(crate) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port"))
    }

    pub(crate) fn on(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let calls = Arc::new(AtomicUsize::new(0));
        std::thread::spawn({
            let (mails, calls) = (mails.clone(), calls.clone());
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    calls.fetch_add(1, Ordering::Relaxed);
                    let mails = mails.clone();
                    std::thread::spawn(move || drop(talk(stream, &mails)));
                }
            }
        });
        Self { port, mails, calls }
    }

    pub(crate) fn mails(&self) -> Vec<Received> {
        self.mails.lock().expect("no panic").clone()
    }

    /// How often somebody has connected.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Waits for a message to `to`.
    pub(crate) fn wait_for(&self, to: &str) -> Received {
        let mut found = None;
        crate::child::until(&format!("a mail to {to}"), || {
            found = self.mails().into_iter().find(|mail| mail.to == [to]);
            found.is_some()
        });
        found.expect("found")
    }
}

fn talk(stream: TcpStream, mails: &Mutex<Vec<Received>>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes());
    let path = |line: &str| line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
    let (mut from, mut to) = (String::new(), Vec::new());
    say("220 sink.test ESMTP")?;
    while let Some(line) = lines.next().transpose()? {
        let upper = line.to_ascii_uppercase();
        if upper.starts_with("EHLO") {
            say("250-sink.test")?;
            say("250-8BITMIME")?;
            say("250 SMTPUTF8")?;
        } else if upper.starts_with("MAIL FROM:") {
            (from, to) = (path(&line), Vec::new());
            say("250 ok")?;
        } else if upper.starts_with("RCPT TO:") {
            to.push(path(&line));
            say("250 ok")?;
        } else if upper == "DATA" {
            say("354 go on")?;
            let mut data = String::new();
            while let Some(line) = lines.next().transpose()? {
                if line == "." {
                    break;
                }
                // RFC 5321, 4.5.2: a leading dot was doubled.
                data.push_str(line.strip_prefix('.').unwrap_or(&line));
                data.push('\n');
            }
            let received = Received { from: from.clone(), to: to.clone(), data };
            mails.lock().expect("no panic").push(received);
            say("250 taken")?;
        } else if upper == "QUIT" {
            say("221 bye")?;
            return Ok(());
        } else {
            say(if matches!(upper.as_str(), "NOOP" | "RSET") { "250 ok" } else { "500 what?" })?;
        }
    }
    Ok(())
}
