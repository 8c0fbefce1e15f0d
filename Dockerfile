# One static program, the certificates that AWS is checked against, and nothing else.
#
#   docker build -t s3log-lint .
#   docker run --rm -v "$PWD:/work:ro" s3log-lint check plan.json
FROM rust:1.95-alpine AS build
RUN apk add --no-cache ca-certificates cmake g++ make musl-dev perl
WORKDIR /source
COPY . .
RUN cargo build --locked --profile dist

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /source/target/dist/s3log-lint /s3log-lint
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/s3log-lint"]
