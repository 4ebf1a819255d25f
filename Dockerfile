# An image with the static binary and root certificates, run by a user without rights.
#
#   docker build -t crepe .
#   docker run -d --name crepe -p 127.0.0.1:8787:8787 -v crepe-data:/var/lib/crepe --env-file crepe.env \
#     --read-only --cap-drop ALL --security-opt no-new-privileges --stop-timeout 90 crepe
#
# crepe.env has the settings, one NAME=value a line: CREPE_PUBLIC_URL, CREPE_TRUSTED_PROXIES, CREPE_STRIPE_KEY_FILE and
# CREPE_STRIPE_WEBHOOK_SECRET_FILE, which name mounted files: -v /etc/crepe/secrets:/run/secrets:ro, readable by user 65532. A directory of the host in place of the volume must belong to user 65532 and have mode 0700.
# The operator's commands run in the container: docker exec crepe crepe merchant list

FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/crepe ./edge/cmd/crepe
RUN install -d -m 700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/crepe /usr/local/bin/crepe
COPY --from=build --chown=65532:65532 /out/data /var/lib/crepe
USER 65532:65532
ENV PATH=/usr/local/bin CREPE_LISTEN=0.0.0.0:8787 CREPE_DATA=/var/lib/crepe
VOLUME /var/lib/crepe
EXPOSE 8787
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["crepe", "ready"]
ENTRYPOINT ["crepe"]
CMD ["serve"]
