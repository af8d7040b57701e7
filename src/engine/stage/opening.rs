//! Opens an upload: hashes the first part, then calls the API. To resume an upload of an earlier session, lists the
//! parts that S3 has stored.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{ApiCall, Call};
use crate::engine::event::Now;
use crate::engine::record::Record;
use crate::plan::Plan;
use crate::protocol::{CreateUpload, ErrorCode, PartsListed, UploadCreated, UploadKind};

/// Maximum number of parts that the opening call names. A server may sign fewer of them.
const MAX_FIRST_PARTS: usize = 16;

impl Engine {
    pub(in crate::engine) fn begin(&mut self, now: Now) {
        if !matches!(self.stage, Stage::New) {
            return;
        }
        if let Some(record) = &self.open {
            let fits = Plan::restore(self.file.size, record.part_size, true).is_some();
            let is_unwanted = record.discard;
            self.stage = if record.completion.is_some() { Stage::Completing } else { Stage::Listing };
            if is_unwanted {
                self.end_and_remove(now, ErrorCode::Aborted.into());
            } else if !fits {
                self.end(now, ErrorCode::WrongFile.into());
            }
        } else {
            self.stage = Stage::HashingFirst;
        }
    }

    /// Enters the stage `Creating` as soon as there is a part to sign.
    pub(in crate::engine) fn advance_first(&mut self) {
        self.hash_ahead();
        if self.parts.unsigned() > 0 {
            self.stage = Stage::Creating;
        }
    }

    pub(in crate::engine) fn advance_create(&mut self, now: Now) {
        if self.holds.may_call(now) && self.calls.create.may_start(now) {
            self.calls.create.start(now);
            let parts = self.parts.start_signing(MAX_FIRST_PARTS);
            self.asked_lane = self.lane();
            self.outbox.push(Action::Call(ApiCall::Create(CreateUpload {
                name: self.file.name.clone(),
                content_type: self.file.content_type.clone(),
                size: self.file.size,
                algorithm: self.config.algorithm,
                parts,
                network: self.config.network,
                lane: self.asked_lane,
            })));
        }
    }

    /// Records that the call is sent now, after it has waited for its batch. The lifetimes in the answer are counted
    /// from now.
    pub(in crate::engine) fn create_sent(&mut self, now: Now, lane: u32) {
        self.asked_lane = lane;
        self.share.lane = lane;
        self.calls.create.sent(now);
    }

    pub(in crate::engine) fn created(&mut self, now: Now, reply: UploadCreated) {
        let asked_ms = self.calls.create.started_ms();
        if !self.answered(now, Call::Create) {
            return;
        }
        let is_multipart = reply.kind == UploadKind::Multipart;
        let plan = Plan::restore(self.file.size, reply.part_size, is_multipart)
            .filter(|plan| plan.part_count() == reply.part_count);
        self.token_until_ms = asked_ms.saturating_add(reply.expires_in_seconds.saturating_mul(1_000));
        self.open = Some(Record {
            token: reply.token,
            key: reply.key,
            algorithm: self.config.algorithm,
            part_size: reply.part_size,
            max_parts_per_request: reply.max_parts_per_request.max(1),
            expires_in_seconds: reply.expires_in_seconds,
            completion: None,
            discard: false,
        });
        let Some(plan) = plan else {
            return self.end(now, ErrorCode::InvalidReply.into());
        };
        // The server's plan may differ from the plan that was assumed.
        if plan != self.parts.plan() {
            self.parts.restart(plan);
        }
        if matches!(self.stage, Stage::Creating) {
            self.stage = Stage::Sending;
            self.parts.signed(asked_ms, self.asked_lane, reply.parts);
            self.persist();
        } else {
            self.discard();
        }
    }

    pub(in crate::engine) fn advance_list(&mut self, now: Now) {
        if let Some(open) = &self.open
            && self.holds.may_call(now)
            && self.calls.list.may_start(now)
        {
            self.calls.list.start(now);
            self.outbox.push(Action::Call(ApiCall::List { token: open.token.clone(), after: self.listed_until }));
        }
    }

    pub(in crate::engine) fn listed(&mut self, now: Now, reply: PartsListed) {
        if !self.answered(now, Call::List) || !matches!(self.stage, Stage::Listing) {
            return;
        }
        for part in reply.parts {
            self.parts.add_listed(part);
        }
        match reply.next {
            None => self.stage = Stage::Sending,
            Some(next) if self.listed_until < Some(next) => self.listed_until = Some(next),
            // The pages do not advance, so the list would never end.
            Some(_) => self.end(now, ErrorCode::InvalidReply.into()),
        }
    }
}
