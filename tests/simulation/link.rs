//! The link between the browser and S3: the arrival of the bytes of each PUT, and the progress that the browser
//! reports.
//!
//! All PUTs share the capacity fairly (processor sharing). Time advances in exact steps, from the end of one PUT to the
//! end of the next. So the arrival of a byte does not depend on the times at which the link is evaluated.

use directput::engine::PutId;

/// Id of a PUT: the number of its run, and its attempt.
pub type FlowId = (u32, PutId);

/// Remaining bytes of a body that count as zero, because sums of fractions are not exact.
const NOTHING_BYTES: f64 = 0.01;

/// Progress that the browser reports of a body under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Bytes that have arrived.
    Arrived,
    /// Bytes that have entered a buffer between browser and S3.
    Entered,
    Nothing,
}

/// Properties of a link.
#[derive(Debug, Clone)]
pub struct LinkKind {
    pub bytes_per_second: u64,
    /// Length of the buffer of each connection, in bytes.
    pub buffer_bytes: u64,
    pub told: Told,
    /// Whether a proxy on the way receives whole bodies and forwards them one after the other.
    pub takes_whole_bodies: bool,
    /// Interval of the browser's progress events, in milliseconds.
    pub tick_ms: u64,
}

/// A body under way.
#[derive(Debug)]
struct Flow {
    id: FlowId,
    length: f64,
    arrived: f64,
    /// Index of the first byte that never arrives.
    dies_at: Option<f64>,
    told_bytes: u64,
    /// Time at which bytes last arrived, in milliseconds.
    moved_ms: u64,
}

impl Flow {
    /// Returns the number of bytes that will arrive.
    fn end(&self) -> f64 {
        self.dies_at.unwrap_or(self.length)
    }

    fn is_live(&self) -> bool {
        self.arrived < self.end()
    }
}

/// A body that was removed from the link.
#[derive(Debug)]
pub struct Cut {
    /// Bytes that had not arrived; `None` if the connection is dead.
    pub rest_bytes: Option<u64>,
    /// Time that the rest would have taken, in milliseconds.
    pub rest_ms: u64,
    /// Time for which the connection has been dead, in milliseconds; `None` if it is not dead.
    pub dead_ms: Option<u64>,
}

/// The link, with all bodies under way.
#[derive(Debug)]
pub struct Link {
    kind: LinkKind,
    flows: Vec<Flow>,
    now_ms: f64,
    ticks_at_ms: u64,
    ended: Vec<FlowId>,
    /// Number of bytes that have arrived.
    pub carried_bytes: f64,
}

impl Link {
    pub fn new(kind: LinkKind) -> Self {
        Self { kind, flows: Vec::new(), now_ms: 0.0, ticks_at_ms: 0, ended: Vec::new(), carried_bytes: 0.0 }
    }

    /// Adds a body. If `dies_at` is given, its connection is dead after that many bytes.
    pub fn start(&mut self, now_ms: u64, id: FlowId, length: u64, dies_at: Option<u64>) {
        self.advance(now_ms);
        if self.flows.is_empty() {
            self.ticks_at_ms = now_ms + self.kind.tick_ms;
        }
        let (length, dies_at) = (length as f64, dies_at.map(|bytes| bytes as f64));
        let flow = Flow { id, length, arrived: 0.0, dies_at, told_bytes: 0, moved_ms: now_ms };
        if length == 0.0 && dies_at.is_none() {
            self.ended.push(id);
        } else {
            self.flows.push(flow);
        }
    }

    /// Removes a body from the link.
    pub fn cut(&mut self, now_ms: u64, id: FlowId) -> Option<Cut> {
        self.advance(now_ms);
        let live = self.flows.iter().filter(|flow| flow.is_live()).count() as f64;
        let at = self.flows.iter().position(|flow| flow.id == id)?;
        let flow = self.flows.remove(at);
        let rest_bytes = flow.length - flow.arrived;
        let rest_ms = (rest_bytes * live / self.bytes_per_ms()) as u64;
        let is_dead = !flow.is_live();
        let dead_ms = is_dead.then(|| now_ms - flow.moved_ms);
        Some(Cut { rest_bytes: (!is_dead).then_some(rest_bytes as u64), rest_ms, dead_ms })
    }

    /// Stops all bodies on the link for ever.
    pub fn die(&mut self, now_ms: u64) {
        self.advance(now_ms);
        self.flows.iter_mut().for_each(|flow| flow.dies_at = Some(flow.arrived));
    }

    /// Returns the bodies that have arrived completely since the last call.
    pub fn ended(&mut self, now_ms: u64) -> Vec<FlowId> {
        self.advance(now_ms);
        std::mem::take(&mut self.ended)
    }

    /// Returns the browser's progress events, if they are due.
    pub fn progress(&mut self, now_ms: u64) -> Vec<(FlowId, u64)> {
        if now_ms < self.ticks_at_ms {
            return Vec::new();
        }
        self.advance(now_ms);
        self.ticks_at_ms = now_ms + self.kind.tick_ms;
        let LinkKind { told, buffer_bytes, takes_whole_bodies, .. } = self.kind;
        let mut news = Vec::new();
        for flow in &mut self.flows {
            let entered = match takes_whole_bodies {
                true => flow.length as u64,
                false => (flow.arrived as u64 + buffer_bytes).min(flow.length as u64),
            };
            let bytes = match told {
                Told::Arrived => flow.arrived as u64,
                Told::Entered => entered,
                Told::Nothing => continue,
            };
            if bytes > flow.told_bytes {
                flow.told_bytes = bytes;
                news.push((flow.id, bytes));
            }
        }
        news
    }

    /// Returns the time of the next evaluation, in milliseconds, or `None` while no bytes move.
    pub fn next_ms(&self) -> Option<u64> {
        if !self.ended.is_empty() {
            return Some(self.now_ms as u64);
        }
        let end_ms = self.now_ms + self.next_end()?.1;
        let tells = self.kind.told != Told::Nothing;
        let tick_ms = if tells { self.ticks_at_ms } else { u64::MAX };
        Some((end_ms.ceil() as u64).min(tick_ms).max(self.now_ms as u64))
    }

    fn bytes_per_ms(&self) -> f64 {
        self.kind.bytes_per_second as f64 / 1_000.0
    }

    /// Returns the number of bodies that move now. A proxy forwards only the oldest one.
    fn moving(&self) -> usize {
        let live = self.flows.iter().filter(|flow| flow.is_live()).count();
        if self.kind.takes_whole_bodies { live.min(1) } else { live }
    }

    /// Returns the body that ends next, and the time until then in milliseconds.
    fn next_end(&self) -> Option<(usize, f64)> {
        let moving = self.moving();
        let rate = self.bytes_per_ms() / moving as f64;
        let live = self.flows.iter().enumerate().filter(|(_, flow)| flow.is_live()).take(moving);
        live.map(|(at, flow)| (at, (flow.end() - flow.arrived) / rate)).min_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn advance(&mut self, now_ms: u64) {
        let until_ms = now_ms as f64;
        while self.now_ms < until_ms {
            let Some((first, step_ms)) = self.next_end() else { break };
            let moving = self.moving();
            let elapsed_ms = step_ms.min(until_ms - self.now_ms);
            let bytes = self.bytes_per_ms() / moving as f64 * elapsed_ms;
            for flow in self.flows.iter_mut().filter(|flow| flow.is_live()).take(moving) {
                flow.arrived += bytes;
                flow.moved_ms = (self.now_ms + elapsed_ms).ceil() as u64;
            }
            self.carried_bytes += bytes * moving as f64;
            self.now_ms += elapsed_ms;
            if step_ms <= elapsed_ms {
                self.flows[first].arrived = self.flows[first].end();
            }
            self.end_flows();
        }
        self.now_ms = until_ms.max(self.now_ms);
    }

    fn end_flows(&mut self) {
        for flow in &mut self.flows {
            if flow.end() - flow.arrived < NOTHING_BYTES {
                flow.arrived = flow.end();
            }
        }
        let ended = self.flows.iter().filter(|flow| flow.arrived >= flow.length).map(|flow| flow.id);
        self.ended.extend(ended);
        self.flows.retain(|flow| flow.arrived < flow.length);
    }
}

#[test]
fn a_link_is_shared_fairly() {
    let kind = LinkKind {
        bytes_per_second: 1_000,
        buffer_bytes: 0,
        told: Told::Arrived,
        takes_whole_bodies: false,
        tick_ms: 100,
    };
    let id = |number| (0, PutId(number));
    let mut link = Link::new(kind.clone());
    link.start(0, id(0), 1_000, None);
    link.start(0, id(1), 500, None);
    assert_eq!((link.next_ms(), link.progress(99)), (Some(100), vec![]));
    assert_eq!(link.progress(999), [(id(0), 499), (id(1), 499)]);
    assert_eq!((link.ended(1_000), link.ended(1_499)), (vec![id(1)], vec![]), "the other body now has the link alone");
    assert_eq!(link.ended(1_500), [id(0)]);
    assert_eq!((link.next_ms(), link.carried_bytes.round()), (None, 1_500.0));

    let mut link = Link::new(LinkKind { takes_whole_bodies: true, ..kind });
    link.start(0, id(0), 1_000, None);
    link.start(0, id(1), 500, Some(200));
    link.start(0, id(2), 500, None);
    assert_eq!((link.ended(1_000), link.ended(1_699)), (vec![id(0)], vec![]));
    assert_eq!(link.ended(1_700), [id(2)], "the proxy forwards the next body");
    assert_eq!(link.cut(2_000, id(1)).and_then(|cut| cut.dead_ms), Some(1_000 - 200));
}
