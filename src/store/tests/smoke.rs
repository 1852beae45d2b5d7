use super::house::*;
use crate::domain::delivery::State;
use crate::domain::outcome::Fact;
#[test]
fn smoke() {
    let mut house = House::new();
    let ep = house.endpoint("default", &["*"]);
    let d = house.deliveries("a.b");
    house.settle([outcome(d[0], ep, 1, Fact::Delivered)]);
    assert_eq!(house.state(d[0]), State::Delivered);
    let ids = house.due(ep);
    assert!(ids.is_empty());
    let house = house.restart();
    assert_eq!(house.state(d[0]), State::Delivered);
    let mut house = house.crash();
    let d = house.deliveries("a.b");
    assert_eq!(house.due(ep), d);
}
