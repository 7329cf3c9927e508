# Builds with Docker, buildah and podman alike; podman keeps the HEALTHCHECK only with `--format docker`.
# Where the C library of the image's processor is taken from. Nothing runs here.
FROM debian:13-slim AS debian

# Only this stage runs anything, and on the building machine's own processor: Bun compiles for the others.
FROM --platform=$BUILDPLATFORM oven/bun:1.4.5-debian AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml tsconfig.json ./
RUN bun install --frozen-lockfile --production
COPY src src
ARG TARGETARCH
RUN bun run build --target="bun-linux-$(echo "$TARGETARCH" | sed s/amd64/x64/)"
COPY --from=debian /usr/lib/*-linux-gnu/ld-linux-*.so.* /debian/
COPY --from=debian /usr/lib/*-linux-gnu/libc.so.6 /usr/lib/*-linux-gnu/libm.so.6 /debian/
COPY --from=debian /usr/lib/*-linux-gnu/libdl.so.2 /usr/lib/*-linux-gnu/libpthread.so.0 /debian/
COPY .ci/rootfs ./
RUN sh rootfs dist/exoix /debian /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV DATABASE_PATH=/data/exoix.db LOG_FORMAT=json
EXPOSE 4001
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/exoix", "health"]
ENTRYPOINT ["/exoix"]
