"""Neutron without agents on hosts: what an agent would report has happened at once."""
from neutron.services.l3_router import l3_router_plugin
from neutron_lib import constants
from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins.ml2 import api


class Mechanism(api.MechanismDriver):
    """Every port can be bound on every host."""

    def initialize(self):
        self.details = {portbindings.CAP_PORT_FILTER: True}

    def bind_port(self, context):
        segment = next(iter(context.segments_to_bind), None)
        if segment is not None:
            context.set_binding(segment[api.ID], portbindings.VIF_TYPE_BRIDGE, self.details,
                                status=constants.PORT_STATUS_ACTIVE)


class Routers(l3_router_plugin.L3RouterPlugin):
    """A floating address is active as soon as it leads to a port."""

    def create_floatingip(self, context, floatingip):
        return self._report(context, super().create_floatingip(context, floatingip))

    def update_floatingip(self, context, id, floatingip):
        return self._report(context, super().update_floatingip(context, id, floatingip))

    def _report(self, context, address):
        leads_somewhere = bool(address['port_id'])
        status = (constants.FLOATINGIP_STATUS_ACTIVE if leads_somewhere
                  else constants.FLOATINGIP_STATUS_DOWN)
        self.update_floatingip_status(context, address['id'], status)
        return dict(address, status=status)
