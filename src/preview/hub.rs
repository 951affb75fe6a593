//! The hub that connects a render and its pages.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::curves::{Curves, Had};
use crate::recipe::Finding;

use super::facts::{Activity, Notice, Recipe, Render, Step};
use super::frames::{Budget, Encoded, RawFrame};

/// A page's request to the render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Pause after the step under way.
    Pause,
    /// Do one step, then pause again.
    Step,
    Resume,
    /// Save the picture as it is.
    Save,
}

/// Why a wish is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no render is running")]
pub struct Unheard;

/// What a render must do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Continue.
    Go,
    /// Save the picture, then ask again.
    Save,
    /// Pass the picture as it is now to [`Hub::show`], then ask again.
    Show,
    /// Still paused, but woken: check whether something else ends the wait, then ask again.
    Held,
}

/// A value that pages may not have yet; its JSON is made on the first request.
#[derive(Debug, Default)]
struct Told<T> {
    version: u64,
    value: T,
    json: Option<Arc<str>>,
}

impl<T: Serialize> Told<T> {
    fn tell(&mut self, value: T) {
        *self = Told { version: self.version + 1, value, json: None };
    }

    /// Returns the JSON if a page with version `had` lacks it.
    fn news(&mut self, had: &mut u64) -> Option<Arc<str>> {
        if *had == self.version {
            return None;
        }
        *had = self.version;
        let json = self.json.get_or_insert_with(|| {
            // Only maps with keys that are not strings could fail.
            serde_json::to_string(&self.value).unwrap_or_else(|_| "null".into()).into()
        });
        Some(json.clone())
    }
}

/// The newest picture of a kind, before and after encoding.
#[derive(Debug, Default)]
struct Pictures {
    /// The number of pictures taken.
    taken: u64,
    /// The last picture taken, unless it has already been encoded.
    shot: Option<RawFrame>,
    /// The last picture encoded.
    encoded: Option<Arc<Encoded>>,
    /// Whether a page waits for a newer one.
    wanted: bool,
}

/// The kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The canvas.
    Canvas,
    /// The encoder's input in the last step.
    Views,
}

#[derive(Debug, Default)]
struct Inner {
    recipe: Told<Option<Recipe>>,
    render: Told<Option<Render>>,
    activity: Told<Activity>,
    step: Told<Option<Step>>,
    /// With its number, so that it is reported once.
    notice: Told<Option<(u64, Notice)>>,
    curves: Curves,
    /// The number of renders, which distinguishes the curves of one from those of another.
    renders: u64,
    pictures: [Pictures; 2],
    /// Whether the last picture taken is the one after the last step.
    exact: bool,
    budget: Budget,
    canvas_was_last: bool,
    /// The number of steps until the next pause; none while the render runs freely.
    allowance: Option<u64>,
    saving: bool,
    /// Whether a paused render should check what else ends the wait.
    woken: bool,
    /// The number of listening pages.
    pages: usize,
    /// The number of pages that have been sent the newest picture.
    served: usize,
    /// The picture saved last.
    saved: Option<Arc<std::path::Path>>,
}

/// Connects a render and its pages: it holds the newest data and the pages' wishes.
///
/// No method waits for a page, except [`Hub::farewell`].
#[derive(Debug, Default)]
pub struct Hub {
    inner: Mutex<Inner>,
    /// Signals new data for pages.
    news: Condvar,
    /// Signals the render's side.
    wishes: Condvar,
    /// Signals work for the encoder.
    work: Condvar,
    /// Whether everything is to end.
    closed: AtomicBool,
}

impl Hub {
    /// Creates a hub, and the thread that encodes its pictures.
    pub fn new() -> Arc<Self> {
        let hub = Arc::new(Hub::default());
        hub.lock().activity.tell(Activity::Starting);
        let weak = Arc::downgrade(&hub);
        std::thread::spawn(move || {
            // The thread runs as long as somebody else holds the hub.
            while let Some(hub) = weak.upgrade() {
                if hub.closed.load(Ordering::SeqCst) {
                    return;
                }
                hub.encode(Duration::from_millis(500));
            }
        });
        hub
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // No method leaves the data in an inconsistent state.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The render's side.
impl Hub {
    /// Publishes the recipe that was read.
    pub fn recipe(&self, recipe: Recipe) {
        let mut inner = self.lock();
        if inner.recipe.value.as_ref() != Some(&recipe) {
            inner.recipe.tell(Some(recipe));
            self.news.notify_all();
        }
    }

    /// Replaces the findings about the recipe that was read.
    pub fn find(&self, findings: Vec<Finding>) {
        let known = self.lock().recipe.value.clone();
        if let Some(recipe) = known {
            self.recipe(Recipe { findings, ..recipe });
        }
    }

    /// Reports that the recipe on disk cannot be rendered. A render under way continues, and its activity stays the same.
    pub fn fail(&self) {
        let mut inner = self.lock();
        if !inner.activity.value.renders() {
            inner.activity.tell(Activity::Failed);
            self.news.notify_all();
        }
    }

    /// Reports the beginning of a render.
    pub fn begin(&self, render: Render) {
        let mut inner = self.lock();
        let curves = render.targets.iter().map(|target| target.prompts.len()).sum();
        inner.curves = Curves::new(curves);
        inner.renders += 1;
        inner.render.tell(Some(render));
        inner.step.tell(None);
        inner.pictures[Kind::Views as usize].shot = None;
        inner.activity.tell(Activity::Running);
        // The first picture after an edit should appear at once.
        inner.budget.renew();
        self.news.notify_all();
    }

    /// Publishes what the program is doing now.
    pub fn activity(&self, activity: Activity) {
        let mut inner = self.lock();
        if inner.activity.value != activity {
            inner.activity.tell(activity);
            self.news.notify_all();
        }
    }

    /// Reports a step. `similarities` are values by curve, in the order of [`Render::targets`] and their prompts.
    pub fn step(&self, step: Step, similarities: impl Iterator<Item = (usize, f32)>) {
        let mut inner = self.lock();
        inner.curves.add(step.step, similarities);
        inner.step.tell(Some(step));
        inner.exact = false;
        self.news.notify_all();
    }

    /// Reports an event.
    pub fn notice(&self, notice: Notice) {
        self.lock().notify(notice);
        self.news.notify_all();
    }

    /// Reports that a picture has been written completely.
    pub fn saved(&self, path: &std::path::Path, step: u64) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut inner = self.lock();
        inner.saved = Some(path.into());
        inner.notify(Notice::Saved { name, step });
        self.news.notify_all();
    }

    /// Returns the kind of picture that a page waits for, unless pictures have used up their share of the render's time. If both kinds
    /// are wanted, they take turns.
    pub(super) fn wants(&self) -> Option<Kind> {
        let inner = self.lock();
        let wanted = |kind: &Kind| {
            let pictures = &inner.pictures[*kind as usize];
            pictures.wanted && pictures.shot.is_none()
        };
        let turns = match inner.canvas_was_last {
            true => [Kind::Views, Kind::Canvas],
            false => [Kind::Canvas, Kind::Views],
        };
        turns.into_iter().find(wanted).filter(|_| inner.budget.allows(Instant::now()))
    }

    /// Accepts a picture of this step, which cost this much of the render's time.
    pub(super) fn take(&self, kind: Kind, shot: RawFrame, cost: Duration) {
        let mut inner = self.lock();
        inner.budget.spend(Instant::now(), cost);
        inner.canvas_was_last = kind == Kind::Canvas;
        inner.put(kind, shot);
        self.work.notify_all();
    }

    /// Accepts the exact picture after the last step, which stays until there is another.
    pub fn show(&self, shot: RawFrame) {
        let mut inner = self.lock();
        inner.exact = true;
        inner.put(Kind::Canvas, shot);
        self.work.notify_all();
    }

    /// Wakes a paused render to check whether something else ends the wait, see [`Gate::Held`].
    pub fn wake(&self) {
        self.lock().woken = true;
        self.wishes.notify_all();
    }

    /// Must be called after every step, and again until it returns [`Gate::Go`]. Blocks while the render is paused.
    pub fn gate(&self) -> Gate {
        let mut inner = self.lock();
        loop {
            if std::mem::take(&mut inner.saving) {
                return Gate::Save;
            }
            match inner.allowance {
                _ if self.closed.load(Ordering::SeqCst) => return Gate::Go,
                None => {
                    inner.turn(Activity::Running, &self.news);
                    return Gate::Go;
                }
                Some(steps @ 1..) => {
                    inner.allowance = Some(steps - 1);
                    return Gate::Go;
                }
                Some(0) if !inner.exact => return Gate::Show,
                Some(0) => {
                    inner.turn(Activity::Paused, &self.news);
                    if std::mem::take(&mut inner.woken) {
                        return Gate::Held;
                    }
                    inner = self.wishes.wait(inner).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Waits until the pages have the last picture, then closes the hub. Waits no longer than `limit`, and not at all if no page listens.
    pub fn farewell(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut inner = self.lock();
        while inner.served < inner.pages && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            inner = self.wishes.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.closed.store(true, Ordering::SeqCst);
        self.news.notify_all();
        self.work.notify_all();
        // Give the pages time to receive the end.
        let end = end + limit / 2;
        while inner.pages > 0 && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            inner = self.wishes.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Inner {
    fn put(&mut self, kind: Kind, shot: RawFrame) {
        let pictures = &mut self.pictures[kind as usize];
        pictures.taken += 1;
        pictures.shot = Some(shot);
        if kind == Kind::Canvas {
            self.served = 0;
        }
    }

    fn notify(&mut self, notice: Notice) {
        let number = self.notice.version + 1;
        self.notice.tell(Some((number, notice)));
    }

    fn turn(&mut self, activity: Activity, news: &Condvar) {
        if self.activity.value != activity && self.activity.value.renders() {
            self.activity.tell(activity);
            news.notify_all();
        }
    }
}

/// The encoder's side.
impl Hub {
    /// Encodes a picture that a page waits for; if there is none, waits for one for at most `patience`.
    fn encode(&self, patience: Duration) {
        let mut inner = self.lock();
        let due = |inner: &Inner| {
            let kinds = [Kind::Canvas, Kind::Views];
            kinds.into_iter().find(|kind| inner.pictures[*kind as usize].is_due())
        };
        let Some(kind) = due(&inner) else {
            drop(self.work.wait_timeout(inner, patience).unwrap_or_else(PoisonError::into_inner));
            return;
        };
        let pictures = &mut inner.pictures[kind as usize];
        let number = pictures.taken;
        // The shot stays in place while it is being encoded, so that no newer one is taken in vain.
        let Some(shot) = pictures.shot.clone() else { return };
        drop(inner);
        let clock = Instant::now();
        let jpeg = shot.encode();
        let cost = clock.elapsed();
        let mut inner = self.lock();
        // A step waits for its slowest thread, which is the one that shares its processor with the encoder.
        inner.budget.spend(Instant::now(), cost);
        let pictures = &mut inner.pictures[kind as usize];
        if pictures.taken == number {
            pictures.shot = None;
        }
        if let Some(jpeg) = jpeg {
            pictures.encoded = Some(Arc::new(Encoded { number, jpeg, facts: shot.facts }));
        }
        pictures.wanted = false;
        self.news.notify_all();
    }
}

impl Pictures {
    fn is_due(&self) -> bool {
        self.wanted && self.shot.is_some()
    }
}

/// The pages' side.
impl Hub {
    /// Adds a listening page, which has no data yet.
    pub(super) fn listen(self: &Arc<Self>) -> Listener {
        self.lock().pages += 1;
        Listener { hub: self.clone(), had: Versions::default() }
    }

    /// Returns the newest picture of a kind if its number is above `after`; otherwise waits for one until `limit`.
    pub(super) fn picture(&self, kind: Kind, after: u64, limit: Duration) -> Option<Arc<Encoded>> {
        let end = Instant::now() + limit;
        let mut inner = self.lock();
        loop {
            let pictures = &mut inner.pictures[kind as usize];
            // A greater number belongs to an earlier process.
            let after = if after > pictures.taken { 0 } else { after };
            let newer = |encoded: &&Arc<Encoded>| encoded.number > after;
            if let Some(encoded) = pictures.encoded.as_ref().filter(newer).cloned() {
                return Some(encoded);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.closed.load(Ordering::SeqCst) {
                return None;
            }
            pictures.wanted = true;
            self.work.notify_all();
            inner = self.news.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reports that a page has been sent the canvas's picture with this number.
    pub(super) fn sent(&self, number: u64) {
        let mut inner = self.lock();
        if inner.pictures[Kind::Canvas as usize].taken == number {
            inner.served += 1;
            self.wishes.notify_all();
        }
    }

    /// Passes a page's wish to the render.
    pub fn wish(&self, wish: Wish) -> Result<(), Unheard> {
        let mut inner = self.lock();
        if !inner.activity.value.renders() {
            return Err(Unheard);
        }
        match wish {
            Wish::Pause => inner.allowance = Some(0),
            Wish::Step => inner.allowance = Some(inner.allowance.map_or(0, |steps| steps + 1)),
            Wish::Resume => inner.allowance = None,
            Wish::Save => inner.saving = true,
        }
        if wish == Wish::Pause && inner.activity.value == Activity::Running {
            inner.activity.tell(Activity::Pausing);
            self.news.notify_all();
        }
        self.wishes.notify_all();
        Ok(())
    }

    /// The picture saved last.
    pub(super) fn last_saved(&self) -> Option<Arc<std::path::Path>> {
        self.lock().saved.clone()
    }
}

/// The versions that a page has been sent.
#[derive(Debug, Default)]
struct Versions {
    recipe: u64,
    render: u64,
    activity: u64,
    step: u64,
    notice: u64,
    curves: (u64, Had),
}

/// A page, as long as it listens.
#[derive(Debug)]
pub(super) struct Listener {
    hub: Arc<Hub>,
    had: Versions,
}

/// The result of listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Events by name, with their JSON: only the newest of each; older ones are skipped.
    News(Vec<(&'static str, Arc<str>)>),
    /// Nothing within the time limit.
    Silence,
    /// Nothing more will come.
    End,
}

impl Listener {
    /// Waits for news until `limit`.
    pub fn next(&mut self, limit: Duration) -> Heard {
        let end = Instant::now() + limit;
        let mut inner = self.hub.lock();
        loop {
            let news = self.had.news(&mut inner);
            if !news.is_empty() {
                return Heard::News(news);
            }
            if self.hub.closed.load(Ordering::SeqCst) {
                return Heard::End;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Heard::Silence;
            }
            inner = self.hub.news.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Versions {
    fn news(&mut self, inner: &mut Inner) -> Vec<(&'static str, Arc<str>)> {
        let mut news = Vec::new();
        let mut add = |name, json: Option<Arc<str>>| news.extend(json.map(|json| (name, json)));
        add("recipe", inner.recipe.news(&mut self.recipe));
        add("render", inner.render.news(&mut self.render));
        add("activity", inner.activity.news(&mut self.activity));
        add("step", inner.step.news(&mut self.step));
        let had = if self.curves.0 == inner.renders { self.curves.1 } else { Had::default() };
        if let Some((json, had)) = inner.curves.news(had) {
            self.curves = (inner.renders, had);
            add("curves", Some(json.into()));
        }
        add("notice", inner.notice.news(&mut self.notice));
        news
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.lock().pages -= 1;
        self.hub.wishes.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot() -> RawFrame {
        RawFrame::new([4, 4], vec![7; 48], true, &serde_json::json!({}))
    }

    fn running() -> Arc<Hub> {
        let hub = Hub::new();
        hub.begin(Render::default());
        hub
    }

    fn told(listener: &mut Listener) -> Vec<(&'static str, String)> {
        match listener.next(Duration::ZERO) {
            Heard::News(news) => news.into_iter().map(|(name, json)| (name, json.to_string())).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn the_newest_is_told_and_nothing_twice() {
        let hub = running();
        let mut listener = hub.listen();
        let names: Vec<_> = told(&mut listener).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["render", "activity", "step", "curves"]);
        assert_eq!(listener.next(Duration::ZERO), Heard::Silence);
        for step in 1..=5 {
            hub.step(Step { step, ..Step::default() }, std::iter::empty());
        }
        let news = told(&mut listener);
        assert!(news[0].1.contains("\"step\":5") && news.len() == 2, "{news:?}");
        hub.activity(Activity::Running);
        assert_eq!(listener.next(Duration::ZERO), Heard::Silence);
        hub.farewell(Duration::ZERO);
        assert_eq!(listener.next(Duration::from_secs(60)), Heard::End);
    }

    #[test]
    fn another_render_begins_other_curves() {
        let hub = running();
        let mut listener = hub.listen();
        told(&mut listener);
        hub.step(Step::default(), [(0, 0.5)].into_iter());
        told(&mut listener);
        hub.begin(Render::default());
        let news = told(&mut listener);
        assert!(news.contains(&("curves", r#"{"whole":true,"points":[]}"#.to_owned())), "{news:?}");
    }

    #[test]
    fn a_pause_holds_until_it_ends() {
        let hub = running();
        assert_eq!(hub.gate(), Gate::Go);
        hub.wish(Wish::Pause).unwrap();
        assert_eq!(hub.gate(), Gate::Show);
        hub.show(shot());
        hub.wake();
        assert_eq!(hub.gate(), Gate::Held);
        assert_eq!(hub.lock().activity.value, Activity::Paused);
        hub.wish(Wish::Save).unwrap();
        hub.wake();
        assert_eq!((hub.gate(), hub.gate()), (Gate::Save, Gate::Held));
        // One step, then paused again.
        hub.wish(Wish::Step).unwrap();
        assert_eq!(hub.gate(), Gate::Go);
        hub.step(Step::default(), std::iter::empty());
        assert_eq!(hub.gate(), Gate::Show);
        hub.show(shot());
        hub.wake();
        assert_eq!(hub.gate(), Gate::Held);
        hub.wish(Wish::Resume).unwrap();
        assert_eq!(hub.gate(), Gate::Go);
        assert_eq!(hub.lock().activity.value, Activity::Running);
    }

    #[test]
    fn a_held_render_sleeps_until_it_is_woken() {
        let hub = running();
        hub.wish(Wish::Pause).unwrap();
        hub.show(shot());
        let other = hub.clone();
        let render = std::thread::spawn(move || (other.gate(), other.gate()));
        while hub.lock().activity.value != Activity::Paused {
            std::thread::yield_now();
        }
        hub.wake();
        while hub.lock().woken {
            std::thread::yield_now();
        }
        hub.wish(Wish::Resume).unwrap();
        assert_eq!(render.join().unwrap(), (Gate::Held, Gate::Go));
    }

    #[test]
    fn without_a_render_there_is_nothing_to_steer() {
        let hub = Hub::new();
        for activity in [Activity::Starting, Activity::Finished, Activity::Failed] {
            hub.activity(activity);
            assert_eq!(hub.wish(Wish::Pause), Err(Unheard));
        }
        hub.begin(Render::default());
        assert_eq!(hub.gate(), Gate::Go);
    }

    #[test]
    fn pictures_are_wanted_only_while_somebody_waits() {
        let hub = running();
        assert_eq!(hub.wants(), None);
        assert!(hub.picture(Kind::Canvas, 0, Duration::ZERO).is_none());
        // It did not wait, so no picture is wanted.
        assert_eq!(hub.wants(), None);
        let other = hub.clone();
        let page = std::thread::spawn(move || other.picture(Kind::Canvas, 0, Duration::from_secs(60)));
        while hub.wants().is_none() {
            std::thread::yield_now();
        }
        hub.take(Kind::Canvas, shot(), Duration::ZERO);
        let encoded = page.join().unwrap().unwrap();
        assert_eq!(encoded.number, 1);
        assert_eq!(hub.wants(), None);
    }

    #[test]
    fn kinds_of_pictures_take_turns() {
        let hub = running();
        let pages = [Kind::Canvas, Kind::Views].map(|kind| {
            let other = hub.clone();
            std::thread::spawn(move || {
                (0..4).map(|after| other.picture(kind, after, Duration::from_secs(60)).is_some()).collect::<Vec<_>>()
            })
        });
        let mut taken = Vec::new();
        while taken.len() < 8 {
            let Some(kind) = hub.wants() else { continue };
            taken.push(kind as usize);
            hub.take(kind, shot(), Duration::ZERO);
        }
        assert!(pages.into_iter().all(|page| page.join().unwrap() == [true; 4]));
        assert_eq!(taken.iter().sum::<usize>(), 4, "{taken:?}");
    }

    #[test]
    fn a_farewell_waits_for_pages_that_lack_the_last_picture() {
        let hub = running();
        let before = Instant::now();
        hub.farewell(Duration::from_secs(60));
        assert!(before.elapsed() < Duration::from_secs(30));
        let hub = running();
        let listener = hub.listen();
        hub.show(shot());
        let other = hub.clone();
        let page = std::thread::spawn(move || {
            let picture = other.picture(Kind::Canvas, 0, Duration::from_secs(60)).unwrap();
            other.sent(picture.number);
            drop(listener);
        });
        hub.farewell(Duration::from_secs(60));
        assert!(before.elapsed() < Duration::from_secs(50));
        page.join().unwrap();
    }
}
