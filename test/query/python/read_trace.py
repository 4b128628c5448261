"""Reads a trace by Google's own generated classes, and gives what Perfetto's page would show of it, as JSON: slices as the
page would pair them, logs, counters and arrows."""

import json
import sys

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent

trace = Trace()
with open(sys.argv[1], "rb") as file:
    trace.ParseFromString(file.read())

names, targets, places, keys, bodies, tracks, events, faults = {}, {}, {}, {}, {}, {}, [], []
for packet in trace.packet:
    if packet.HasField("interned_data"):
        data = packet.interned_data
        names.update({item.iid: item.name for item in data.event_names})
        targets.update({item.iid: item.name for item in data.event_categories})
        places.update({item.iid: [item.file_name, item.line_number] for item in data.source_locations})
        keys.update({item.iid: item.name for item in data.debug_annotation_names})
        bodies.update({item.iid: item.body for item in data.log_message_body})
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        name = track.name or track.thread.thread_name or track.process.process_name
        tracks[track.uuid] = {"name": name, "parent": track.parent_uuid, "unit": track.counter.unit_name}
        if track.HasField("process"):
            labels = list(track.process.process_labels)
    if packet.HasField("track_event"):
        events.append((packet.timestamp, len(events), packet.track_event))


def annotations(event):
    return {keys[item.name_iid]: item.string_value for item in event.debug_annotations}


stacks, slices, logs, counts, leaving, arriving = {}, [], [], [], {}, {}
for time, _, event in sorted(events, key=lambda item: item[:2]):
    if event.track_uuid not in tracks:
        faults.append(f"track {event.track_uuid} is not described")
    track = tracks[event.track_uuid]
    if event.type == TrackEvent.TYPE_COUNTER:
        group = tracks[track["parent"]]["name"]
        counts.append([str(time), group, track["name"], track["unit"], event.double_counter_value])
        continue
    if event.type == TrackEvent.TYPE_INSTANT:
        message = event.log_message
        [target] = event.category_iids
        logs.append([str(time), targets[target], message.prio, bodies[message.body_iid], annotations(event)])
        continue
    for flow in event.flow_ids:
        leaving[flow] = [names[event.name_iid], event.track_uuid]
    for flow in event.terminating_flow_ids:
        arriving[flow] = [names[event.name_iid], event.track_uuid]
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
                "track": track["name"],
                "properties": annotations(opened),
            }
        )
faults += [f"{len(stack)} slices are never ended" for stack in stacks.values() if stack]
faults += [f"{track['name']} has no parent" for track in tracks.values() if track["parent"] not in (0, *tracks)]
faults += [f"the arrow {flow} has one end" for flow in leaving.keys() ^ arriving.keys()]
faults += [f"the arrow {flow} stays on its track" for flow in leaving if leaving[flow][1] == arriving.get(flow, [0, 0])[1]]
flows = [[leaving[flow][0], arriving[flow][0]] for flow in leaving.keys() & arriving.keys()]
result = {"labels": labels, "slices": slices, "logs": logs, "counts": counts, "flows": flows, "faults": faults}
print(json.dumps(result))
