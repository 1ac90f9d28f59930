# Built by goreleaser, which puts the binaries beside it.
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/paytest /usr/bin/paytest
ENTRYPOINT ["/usr/bin/paytest"]
