# syntax=docker/dockerfile:1
# Postrider in a container: docker build -t postrider . && docker run -p 127.0.0.1:8383:8383 -v postrider:/data postrider
# The guide "Running it" (/docs/running) says more, and compose.yaml is the short way.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock askama.toml ./
COPY .cargo .cargo
COPY src src
COPY static static
COPY templates templates
COPY benches benches
# The manual shows these.
COPY tests/examples tests/examples
COPY README.md CHANGELOG.md LICENSE ./
RUN cargo build --release --locked --bin postrider
# A new volume takes over who owns this folder and who may look into it.
RUN mkdir -m 0700 /data

# The C library and nothing else: no shell, no package manager. The same C library as everywhere else: it resolves names as
# this machine is set up to, and its allocator is the one that is measured.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/postrider /usr/local/bin/postrider
COPY --from=build --chown=65532:65532 /data /data
# All that it writes is in the volume: run it with --read-only.
ENV POSTRIDER_DATA=/data POSTRIDER_LISTEN=0.0.0.0:8383
USER 65532:65532
VOLUME /data
EXPOSE 8383
HEALTHCHECK --interval=30s --timeout=10s --start-period=5m --start-interval=1s CMD ["/usr/local/bin/postrider", "health"]
ENTRYPOINT ["/usr/local/bin/postrider"]
CMD ["serve"]
