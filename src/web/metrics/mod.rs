//! `/metrics`, in the text format of Prometheus, version 0.0.4. No series is about one endpoint or tenant, so that
//! their number does not grow, unless the setting `metrics_per_tenant` asks for some; `GET /api/v1/endpoints/{id}/stats`
//! tells about one endpoint.
//!
//! [`work`]: what is done. [`queues`]: what waits. [`house`]: disk, housekeeping, process. [`family`]: how each is written.

mod family;
mod house;
mod queues;
mod work;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use crate::domain::scope::Scope;
use crate::service::metrics::Metrics;
use crate::web::read;

use super::auth::Authenticated;
use super::problem::Problem;
use super::query;
use super::state::AppState;

/// The route.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/metrics").route(read().to(metrics)));
}

async fn metrics(
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let scope = caller.tenant_scope(Scope::MetricsRead)?;
    query::none(&request)?;
    let metrics = state.read(move |service| Ok(service.metrics(&scope))).await?;
    let mut families = families(&metrics);
    // What is not known now is left out.
    families.retain(|family| !family.get_metric().is_empty());
    let text = TextEncoder::new().encode_to_string(&families);
    let text = text.map_err(|error| Problem::internal(format!("the metrics: {error}")))?;
    Ok(HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text))
}

/// All of them, in the order of the answer.
fn families(metrics: &Metrics) -> Vec<MetricFamily> {
    let mut all = work::families(metrics);
    all.extend(queues::families(metrics));
    all.extend(house::families(metrics));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prometheus::proto::MetricType;

    use super::*;

    #[test]
    fn every_family_has_a_name_of_its_own_and_says_what_it_is() {
        let all = families(&Metrics::default());
        let names: BTreeSet<&str> = all.iter().map(MetricFamily::name).collect();
        assert_eq!(names.len(), all.len());
        for family in &all {
            let ours = family.name().starts_with("postrider_") || family.name().starts_with("process_");
            assert!(ours && family.help().ends_with('.'), "{family:?}");
            let total = family.name().ends_with("_total");
            assert_eq!(total, family.get_field_type() == MetricType::COUNTER, "{}", family.name());
        }
    }
}
