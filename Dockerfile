# The server and the sandbox in one image: `docker build -t trade .`
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p trade-server

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/trade trade
COPY --from=build /src/target/release/trade /usr/local/bin/trade
USER trade
WORKDIR /var/lib/trade
EXPOSE 11505
ENTRYPOINT ["trade"]
CMD ["serve"]
