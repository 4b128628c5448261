import { useEffect, useState } from 'preact/hooks'
import { bytesOf } from '../../data/bytes.ts'
import { errorText } from '../../data/error-text.ts'
import { query } from '../../data/query.ts'
import { literal } from '../../data/sql.ts'
import type { Image, TimelineData } from './timeline-data.ts'
import type { Stretch } from './viewport.ts'

const MOST = 8
/** What browsers show; anything else stays a name. */
const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
}

/** The images in view. */
export function ImagesStrip({ data, view }: { readonly data: TimelineData; readonly view: Stretch }) {
  const shown = data.images.filter(({ t }) => t >= view.from && t <= view.to)
  if (shown.length === 0) return null
  return (
    <div class="images" role="group" aria-label="Images in view">
      {shown.slice(0, MOST).map((image) => (
        <Thumbnail key={`${image.block_id} ${image.time}`} data={data} image={image} />
      ))}
      {shown.length > MOST && <span class="hint">and {shown.length - MOST} more: zoom in</span>}
    </div>
  )
}

function Thumbnail({ data, image }: { readonly data: TimelineData; readonly image: Image }) {
  const [url, setUrl] = useState<string>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const stop = new AbortController()
    let made: string | undefined
    const sql = `SELECT format, data FROM view_instance('images', ${literal(data.processId)})
WHERE block_id = ${literal(image.block_id)} AND time = timestamp '${image.time}'`
    query<{ format: string; data: string }>(sql, { range: data.range, signal: stop.signal }).then(
      ([found]) => {
        const type = TYPES[found?.format.toLowerCase() ?? '']
        if (found === undefined || type === undefined) setProblem(found?.format ?? 'gone')
        else {
          made = URL.createObjectURL(new Blob([bytesOf(found.data)], { type }))
          setUrl(made)
        }
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(errorText(error))
      },
    )
    return () => {
      stop.abort()
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [image.block_id, image.time])
  return (
    <figure>
      {url !== undefined && <img src={url} alt={image.name} onError={() => setProblem('cannot be shown')} />}
      <figcaption>
        {image.name} {problem !== undefined && <span class="hint">({problem})</span>}
      </figcaption>
    </figure>
  )
}
