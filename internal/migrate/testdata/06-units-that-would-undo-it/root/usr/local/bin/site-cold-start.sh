#!/bin/bash
cp /srv/units/justnews@.service /etc/systemd/system/
systemctl daemon-reload
