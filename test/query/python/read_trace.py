"""Reads a trace by Google's own generated classes, and gives its slices as Perfetto's page would pair them, as JSON."""

import json
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

trace = Trace()
with open(sys.argv[1], "rb") as file:
    trace.ParseFromString(file.read())

names, targets, places, tracks, events, faults = {}, {}, {}, {}, [], []
for packet in trace.packet:
    if packet.HasField("interned_data"):
        data = packet.interned_data
        names.update({item.iid: item.name for item in data.event_names})
        targets.update({item.iid: item.name for item in data.event_categories})
        places.update({item.iid: [item.file_name, item.line_number] for item in data.source_locations})
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        name = track.name or track.thread.thread_name or track.process.process_name
        tracks[track.uuid] = {"name": name, "parent": track.parent_uuid}
    if packet.HasField("track_event"):
        events.append((packet.timestamp, len(events), packet.track_event))

stacks, slices = {}, []
for time, _, event in sorted(events, key=lambda item: item[:2]):
    if event.track_uuid not in tracks:
        faults.append(f"track {event.track_uuid} is not described")
    stack = stacks.setdefault(event.track_uuid, [])
    if event.type == TrackEvent.TYPE_SLICE_BEGIN:
        stack.append((time, event))
    elif not stack:
        faults.append(f"an end at {time} without a begin")
    else:
        # The one that was opened last, whatever the end itself says.
        begin, opened = stack.pop()
        [target] = opened.category_iids
        slices.append(
            {
                "name": names[opened.name_iid],
                "target": targets[target],
                "place": places[opened.source_location_iid],
                "begin": str(begin),
                "end": str(time),
                "track": tracks[event.track_uuid]["name"],
            }
        )
faults += [f"{len(stack)} slices are never ended" for stack in stacks.values() if stack]
faults += [f"{track['name']} has no parent" for track in tracks.values() if track["parent"] not in (0, *tracks)]
print(json.dumps({"slices": slices, "faults": faults}))
