//! One history: engines with a hub and a simulated browser, in the world that a seed draws.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use directput::engine::{Engine, Event, Failure, Now, Put, Record, Remains, Uploaded};
use directput::protocol::CreateUpload;
use directput::queue::Hub;
use fastrand::Rng;

use crate::calls::Request;
use crate::checks::Checks;
use crate::disk::{Content, Disk};
use crate::link::{FlowId, Link};
use crate::scenario::{FAULTS_END_MS, Incident, Scenario};
use crate::storage::Storage;

/// Maximum number of steps. A longer history is an endless loop.
const MAX_STEPS: u32 = 1_000_000;

/// A planted defect, to check that the simulation detects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The driver reports the removal of an upload without making the call.
    RemovesNothing,
    /// The driver reports ten times the lifetime of URLs.
    TrustsUrlsForTooLong,
}

/// A future event of the world.
pub enum What {
    Incident(Incident),
    FaultsEnd,
    /// The user adds the file, or resumes its upload.
    Open {
        file: usize,
    },
    Alarm {
        run: u32,
        timer: u64,
    },
    ToEngine {
        run: u32,
        event: Box<Event>,
    },
    CallArrives {
        run: u32,
        call: Request,
    },
    /// The call that opens several uploads is over.
    BatchEnds,
    PutBegins {
        run: u32,
        put: Put,
        started_ms: u64,
    },
    LinkMoves {
        generation: u64,
    },
    /// S3 stores a PUT that was lost for the client.
    PutLate {
        url: String,
        content: Content,
    },
}

/// A PUT whose body is under way.
#[derive(Clone)]
pub struct OnWay {
    pub put: Put,
    /// Time of the engine's action, on the engines' clock.
    pub started_ms: u64,
}

/// A file on the user's disk, and the record of its upload.
pub struct UserFile {
    pub name: String,
    pub disk: Disk,
    pub record: Option<Record>,
    pub gave_up: bool,
    /// Whether the user does nothing more with the file.
    pub is_over: bool,
}

/// Run of an engine for one upload, from its start to its end.
pub struct Run {
    pub number: u32,
    pub file: usize,
    pub engine: Engine,
    pub timer: Option<u64>,
    pub has_begun: bool,
    pub connections: u32,
    pub is_restored: bool,
    pub is_paused: bool,
    /// Request that opens the upload, while it waits to be sent in a batch.
    pub opening: Option<CreateUpload>,
    /// Whether the open file was changed on disk.
    pub file_is_unreadable: bool,
    pub checks: Checks,
}

/// A tab, from its opening to its closing.
pub struct Tab {
    pub hub: Hub,
    pub runs: Vec<Run>,
    /// Engines that have ended. Late events may still reach them.
    pub ended: Vec<(u32, Engine)>,
    /// Time until which S3 throttles, on the engines' clock.
    pub rests_until_ms: u64,
    /// Whether the API refuses the credentials of the tab.
    pub is_stale: bool,
}

/// Observations of a history.
#[derive(Debug, Default)]
pub struct Seen {
    pub kinds: BTreeSet<&'static str>,
    /// Worst values by name, each with its seed.
    pub worst: BTreeMap<&'static str, (f64, u64)>,
}

impl Seen {
    pub fn note_worst(&mut self, name: &'static str, figure: f64, seed: u64) {
        let worst = self.worst.entry(name).or_insert((figure, seed));
        if figure > worst.0 {
            *worst = (figure, seed);
        }
    }

    pub fn merge(mut self, other: Self) -> Self {
        self.kinds.extend(other.kinds);
        other.worst.into_iter().for_each(|(name, (figure, seed))| self.note_worst(name, figure, seed));
        self
    }
}

/// The world of one seed.
pub struct World {
    pub seed: u64,
    pub scenario: Scenario,
    pub defect: Option<Defect>,
    pub rng: Rng,
    pub now_ms: u64,
    agenda: BinaryHeap<Reverse<(u64, u64)>>,
    plans: BTreeMap<u64, What>,
    order: u64,
    pub storage: Storage,
    pub link: Link,
    link_generation: u64,
    /// PUTs whose bodies are under way.
    pub on_way: BTreeMap<FlowId, OnWay>,
    /// PUTs that were stopped.
    pub cut: BTreeSet<FlowId>,
    pub puts_begun: u32,
    pub files: Vec<UserFile>,
    pub tab: Option<Tab>,
    pub next_run: u32,
    pub is_offline: bool,
    pub dead_until_ms: u64,
    pub asleep_until_ms: u64,
    /// Time by which the clock was set ahead, in milliseconds.
    pub clock_ahead_ms: u64,
    /// Time at which the last upload has ended.
    pub finished_ms: u64,
    /// A promise that was broken within a step.
    pub broken: Option<String>,
    pub seen: Seen,
    trace: bool,
}

impl World {
    pub fn new(seed: u64, defect: Option<Defect>, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let scenario = Scenario::draw(&mut rng);
        let file = |number| UserFile {
            name: format!("file{number}"),
            disk: Disk::default(),
            record: None,
            gave_up: false,
            is_over: false,
        };
        let mut world = Self {
            seed,
            defect,
            rng,
            now_ms: 0,
            agenda: BinaryHeap::new(),
            plans: BTreeMap::new(),
            order: 0,
            storage: Storage::new(scenario.server.clone()),
            link: Link::new(scenario.link.clone()),
            link_generation: 0,
            on_way: BTreeMap::new(),
            cut: BTreeSet::new(),
            puts_begun: 0,
            files: (0..scenario.files.len()).map(file).collect(),
            tab: None,
            next_run: 0,
            is_offline: false,
            dead_until_ms: 0,
            asleep_until_ms: 0,
            clock_ahead_ms: 0,
            finished_ms: 0,
            broken: None,
            seen: Seen::default(),
            trace,
            scenario,
        };
        for (file, dropped) in world.scenario.files.clone().into_iter().enumerate() {
            world.at(dropped.at_ms, What::Open { file });
        }
        for (at_ms, incident) in world.scenario.incidents.clone() {
            world.at(at_ms, What::Incident(incident));
        }
        if !world.scenario.is_calm() {
            world.at(FAULTS_END_MS, What::FaultsEnd);
        }
        world
    }

    /// Runs the scenario to its end. Returns the observations.
    ///
    /// # Errors
    /// The broken promise.
    pub fn run(&mut self) -> Result<Seen, String> {
        self.note(|world| format!("{:?}", world.scenario));
        self.seen.kinds.extend(self.scenario.kinds());
        for _ in 0..MAX_STEPS {
            let Some(Reverse((at_ms, order))) = self.agenda.pop() else {
                self.check_end()?;
                return Ok(std::mem::take(&mut self.seen));
            };
            let what = self.plans.remove(&order).expect("planned");
            self.now_ms = self.now_ms.max(at_ms);
            self.step(what)?;
            self.broken.take().map_or(Ok(()), Err)?;
            self.check_silence()?;
            self.check_time()?;
        }
        Err("endless loop".to_owned())
    }

    pub fn note(&self, words: impl Fn(&Self) -> String) {
        if self.trace {
            eprintln!("{:>9} ms  {}", self.now_ms, words(self));
        }
    }

    pub fn saw(&mut self, kind: &'static str) {
        self.seen.kinds.insert(kind);
    }

    pub fn at(&mut self, at_ms: u64, what: What) {
        self.order += 1;
        self.agenda.push(Reverse((at_ms, self.order)));
        self.plans.insert(self.order, what);
    }

    pub fn after(&mut self, ms: u64, what: What) {
        self.at(self.now_ms + ms, what);
    }

    pub fn reply(&mut self, run: u32, ms: u64, event: Event) {
        self.after(ms, What::ToEngine { run, event: Box::new(event) });
    }

    pub fn happens(&mut self, odds: f64) -> bool {
        odds > 0.0 && self.now_ms < FAULTS_END_MS && self.rng.f64() < odds
    }

    pub fn half_trip(&mut self) -> u64 {
        let half = self.scenario.round_trip_ms / 2 + 1;
        self.rng.u64(half..=half * 2)
    }

    pub fn is_dead(&self) -> bool {
        self.now_ms < self.dead_until_ms
    }

    /// Returns the time of the engines' clock, in milliseconds.
    pub fn clock_ms(&self) -> u64 {
        let drift_ms = self.now_ms as i64 * self.scenario.clocks.drift_ppm / 1_000_000;
        self.now_ms.saturating_add_signed(drift_ms) + self.clock_ahead_ms
    }

    pub fn engine_now(&mut self) -> Now {
        Now { ms: self.clock_ms(), random: self.rng.u32(..) }
    }

    /// Plans the next evaluation of the link: at the end of a body, or when a progress event is due.
    pub fn watch_link(&mut self) {
        self.link_generation += 1;
        if let Some(at_ms) = self.link.next_ms() {
            let generation = self.link_generation;
            self.at(at_ms.max(self.now_ms), What::LinkMoves { generation });
        }
    }

    pub fn run_of(&mut self, number: u32) -> Option<&mut Run> {
        self.tab.as_mut()?.runs.iter_mut().find(|run| run.number == number)
    }

    pub fn run_of_file(&self, file: usize) -> Option<u32> {
        self.tab.as_ref()?.runs.iter().find(|run| run.file == file).map(|run| run.number)
    }

    fn step(&mut self, what: What) -> Result<(), String> {
        if matches!(what, What::Alarm { .. } | What::ToEngine { .. }) && self.now_ms < self.asleep_until_ms {
            self.at(self.asleep_until_ms, what);
            return Ok(());
        }
        match what {
            What::Open { file } => self.open(file),
            What::FaultsEnd => self.end_faults(),
            What::Incident(incident) => self.happen(incident),
            What::Alarm { run, timer } => match self.run_of(run) {
                Some(run) if run.timer == Some(timer) => {
                    run.timer = None;
                    let number = run.number;
                    self.tell(number, Event::Tick)
                }
                _ => Ok(()),
            },
            What::ToEngine { run, event } => self.tell(run, *event),
            What::CallArrives { run, call } => {
                self.serve(run, call);
                Ok(())
            }
            What::BatchEnds => {
                if let Some(tab) = &mut self.tab {
                    tab.hub.batch_ended(Ok(())).expect("it is an answer");
                }
                self.balance()
            }
            What::PutBegins { run, put, started_ms } => {
                self.begin_put(run, OnWay { put, started_ms });
                Ok(())
            }
            What::LinkMoves { generation } if generation == self.link_generation => {
                self.move_link();
                Ok(())
            }
            What::LinkMoves { .. } => Ok(()),
            What::PutLate { url, content } => {
                if self.storage.put_late(&url, content) {
                    self.saw("late part");
                }
                Ok(())
            }
        }
    }

    /// Checks that each upload waits for an event, unless the user has paused it or other uploads have the connections.
    fn check_silence(&self) -> Result<(), String> {
        let Some(tab) = &self.tab else { return Ok(()) };
        for run in tab.runs.iter().filter(|run| !run.is_paused) {
            let number = run.number;
            let lies_ahead = |what: &What| match what {
                What::BatchEnds => run.opening.is_some(),
                What::Alarm { run: of, timer } => *of == number && run.timer == Some(*timer),
                What::ToEngine { run: of, .. } | What::CallArrives { run: of, .. } => *of == number,
                _ => false,
            };
            if run.timer.is_some() || self.plans.values().any(lies_ahead) {
                continue;
            }
            // An upload that was cancelled before it was paused still waits for its answer.
            let is_active = |other: &&Run| !other.is_paused || !other.checks.live_puts().is_empty();
            let begun = tab.runs.iter().filter(|other| other.number != number && other.has_begun);
            let others = begun.filter(is_active);
            let busy = others.filter(|other| !run.has_begun || !other.checks.live_puts().is_empty()).count();
            let demand = run.engine.demand(Now { ms: self.clock_ms(), random: 0 });
            let waits = !run.has_begun || demand.wanted > run.connections.min(demand.in_flight);
            if busy == 0 || !(waits || run.opening.is_some()) {
                return Err("silence: the upload has not ended, and waits for no event".to_owned());
            }
        }
        Ok(())
    }

    /// Checks that each upload ends soon after the last fault.
    fn check_time(&self) -> Result<(), String> {
        let length_ms = |incident| match incident {
            Incident::Sleep { ms } | Incident::Outage { ms } | Incident::Kill { away_ms: ms } => ms,
            _ => 0,
        };
        let incidents = &self.scenario.incidents;
        let last_ms = incidents.last().map_or(0, |&(at_ms, _)| at_ms)
            + incidents.iter().map(|&(_, incident)| length_ms(incident)).sum::<u64>();
        let limit_ms =
            FAULTS_END_MS.max(last_ms) + 60 * 60_000 + 6 * self.scenario.ideal_ms() + self.scenario.silence_ms();
        let is_open = self.tab.as_ref().is_some_and(|tab| !tab.runs.is_empty());
        if is_open && self.now_ms > limit_ms { Err("the upload does not end".to_owned()) } else { Ok(()) }
    }

    /// Handles the end of a run.
    pub fn finish(&mut self, run: Run, outcome: &Result<Uploaded, Failure>) -> Result<(), String> {
        let now_ms = self.clock_ms();
        let file = &self.files[run.file];
        let size = self.scenario.files[run.file].size;
        run.checks.finished(now_ms, outcome, &self.storage, file)?;
        if let Ok(uploaded) = outcome {
            crate::outcome::check_object(uploaded, size, &self.scenario, &self.storage, &file.disk)?;
        }
        self.saw(match outcome {
            Ok(_) if run.is_restored => "stored by a later session",
            Ok(_) => "stored",
            Err(failure) => failure.code.as_str(),
        });
        if outcome.as_ref().is_err_and(|failure| failure.remains == Remains::Unknown) {
            self.saw("unknown whether there is an object");
        }
        if !run.engine.is_finished() {
            return Err("the engine reports Finished before its end".to_owned());
        }
        self.finished_ms = self.now_ms;
        self.check_calm(outcome)?;
        self.decide_what_follows(run.file, outcome);
        let tab = self.tab.as_mut().expect("the upload ran in a tab");
        tab.hub.remove(run.number);
        tab.ended.push((run.number, run.engine));
        self.disturb_the_dead(run.number)
    }
}
