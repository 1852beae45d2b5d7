//! Whose held deliveries are old.

use std::collections::BTreeSet;

use crate::domain::ids::EndpointId;
use crate::domain::time::UnixMs;

use super::house::*;
use super::plans::check;

fn held(house: &mut House, tenant: &str, count: usize) -> EndpointId {
    let endpoint = house.endpoint(tenant, &["*"]);
    house.disable(endpoint);
    house.publish_many(tenant, "a.b", count);
    endpoint
}

#[test]
fn much_that_is_held_for_one_hides_nobody() {
    let mut house = House::new();
    let much = held(&mut house, "acme", 1_100);
    house.clock.advance(HOUR);
    let one = held(&mut house, "globex", 1);
    house.clock.advance(HOUR);
    held(&mut house, "initech", 1);
    let before = START.plus(HOUR * 2);
    let (found, ran) = house.traced(|reader| {
        let count = |endpoint| reader.old_held_of(endpoint, before).map(|held| (held.count, held.more));
        Ok((reader.held_before(before)?, count(much)?, count(one)?))
    });
    assert_eq!(found, (vec![(much, START), (one, START.plus(HOUR))], (1_000, true), (1, false)));
    let statements: BTreeSet<_> = ran.statements.into_iter().collect();
    assert_eq!(statements.iter().filter(|sql| sql.contains("created_at FROM deliveries")).count(), 2);
    check(&house, &statements);
    assert_eq!(house.read(|reader| reader.held_before(START)), Vec::<(EndpointId, UnixMs)>::new());
}
