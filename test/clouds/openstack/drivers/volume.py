"""Cinder volumes as sparse files in a folder."""
import os

from cinder import interface
from cinder.image import image_utils
from cinder.volume import driver
from oslo_config import cfg

GIB = 1 << 30
OPTIONS = [cfg.StrOpt('volume_folder', help='Where the files of volumes are.')]


@interface.volumedriver
class Driver(driver.VolumeDriver):
    VERSION = '1.0'
    CI_WIKI_NAME = 'none'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)

    @staticmethod
    def get_driver_options():
        return OPTIONS

    def check_for_setup_error(self):
        os.makedirs(self.configuration.volume_folder, exist_ok=True)

    def _file_of(self, thing):
        return os.path.join(self.configuration.volume_folder, thing['name'])

    def _set_size(self, volume, gib):
        os.truncate(self._file_of(volume), gib * GIB)

    def create_volume(self, volume):
        open(self._file_of(volume), 'wb').close()
        self._set_size(volume, volume['size'])

    def delete_volume(self, volume):
        self._delete(volume)

    def delete_snapshot(self, snapshot):
        self._delete(snapshot)

    def _delete(self, thing):
        if os.path.exists(self._file_of(thing)):
            os.remove(self._file_of(thing))

    def create_snapshot(self, snapshot):
        # A snapshot of a sparse file without data needs no copy of its holes.
        open(self._file_of(snapshot), 'wb').close()
        os.truncate(self._file_of(snapshot), snapshot['volume_size'] * GIB)

    def create_volume_from_snapshot(self, volume, snapshot):
        self.create_volume(volume)

    def create_cloned_volume(self, volume, src_vref):
        self.create_volume(volume)

    def extend_volume(self, volume, new_size):
        self._set_size(volume, new_size)

    def clone_image(self, context, volume, image_location, image_meta, image_service):
        return None, False

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        with open(self._file_of(volume), 'wb') as target:
            image_service.download(context, image_id, target)
        self._set_size(volume, volume['size'])

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        image_utils.upload_volume(context, image_service, image_meta, self._file_of(volume),
                                  volume, run_as_root=False)

    def initialize_connection(self, volume, connector):
        return {'driver_volume_type': 'local', 'data': {'device_path': self._file_of(volume)}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': self.configuration.volume_backend_name,
            'vendor_name': 'none',
            'driver_version': self.VERSION,
            'storage_protocol': 'file',
            'total_capacity_gb': 10000,
            'free_capacity_gb': 10000,
            'provisioned_capacity_gb': 0,
            'reserved_percentage': 0,
            'thin_provisioning_support': True,
            'max_over_subscription_ratio': 20.0,
            'multiattach': False,
        }
