// The JavaScript clients against a running project: node clients.mjs URL KEY
// Prints one JSON object, with what each call returned.
import { createClient } from '@supabase/supabase-js'
import { SupabaseVectorStore } from '@langchain/community/vectorstores/supabase'
import { SupabaseHybridSearch } from '@langchain/community/retrievers/supabase'
import { Embeddings } from '@langchain/core/embeddings'

const [url, key] = process.argv.slice(2)
const client = createClient(url, key)
const told = {}

// an embedding that can be worked out by hand: how often a, b and c occur
class Letters extends Embeddings {
  async embedQuery(text) {
    return [...'abc'].map((letter) => 0.1 + text.split(letter).length - 1)
  }
  async embedDocuments(texts) {
    return Promise.all(texts.map((text) => this.embedQuery(text)))
  }
}

async function rows(call) {
  const { data, error } = await call
  if (error) throw new Error(JSON.stringify(error))
  return data
}

const query_embedding = [1.1, 0.1, 0.1]

// supabase-js
await rows(client.from('documents').upsert([
  { id: '1', content: 'a cat', metadata: { lang: 'en' }, embedding: [1.1, 0.1, 0.1] },
  { id: '2', content: 'bbb', metadata: { lang: 'en' }, embedding: [0.1, 3.1, 0.1] },
  { id: '3', content: 'eine Katze', metadata: { lang: 'de' }, embedding: [1.0, 0.2, 0.1] },
]))
told.rpc = await rows(client.rpc('match_documents', { query_embedding, match_count: 5, filter: { lang: 'en' }, match_threshold: 0.7 }))
told.text = await rows(client.rpc('match_documents', { query_embedding: JSON.stringify(query_embedding), match_count: 1 }))
told.undefined = await rows(client.rpc('match_documents', { query_embedding, match_count: undefined, filter: null }))
told.chained = await rows(
  client.rpc('match_documents', { query_embedding }).select('id, metadata->>lang').eq('metadata->>lang', 'de').order('id').limit(2))
told.get = await rows(client.rpc('match_documents', { query_embedding: JSON.stringify(query_embedding) }, { get: true }).limit(1))
told.hybrid = await rows(client.rpc('hybrid_search', { query_text: 'cat', query_embedding, match_count: 2 }))
told.error = (await client.rpc('match_documents', { query_embedding: [1, 2] })).error

// LangChain
const store = (queryName, options) =>
  new SupabaseVectorStore(new Letters(), { client, tableName: 'documents', queryName, ...options })
const documents = store('match_documents')
const ids = await documents.addDocuments(
  [
    { pageContent: 'aaa', metadata: { from: 'langchain', n: 1 } },
    { pageContent: 'abc abc', metadata: { from: 'langchain', n: 2 } },
    { pageContent: 'ccc', metadata: { from: 'langchain', n: 3 } },
  ],
  { ids: ['l1', 'l2', 'l3'] })
told.ids = ids
const contents = (found) => found.map((one) => one.pageContent)
told.search = contents(await documents.similaritySearch('aa', 2, { from: 'langchain' }))
told.scores = (await documents.similaritySearchWithScore('aa', 1, { from: 'langchain' })).map(([one, score]) => [one.pageContent, score])
told.function_filter = contents(await documents.similaritySearch('aa', 4, (rpc) => rpc.filter('metadata->n::int', 'gt', 1)))
told.no_filter = contents(await documents.similaritySearch('ccc', 1))
told.mmr = contents(await store('match_documents_mmr').maxMarginalRelevanceSearch('aa', { k: 2, fetchK: 10, filter: { from: 'langchain' } }))
const retriever = new SupabaseHybridSearch(new Letters(), {
  client, similarityK: 2, keywordK: 2, tableName: 'documents', similarityQueryName: 'match_documents', keywordQueryName: 'kw_match_documents',
})
told.retriever = contents(await retriever.invoke('ccc'))
await documents.delete({ ids: ['l1', 'l2', 'l3'] })
told.after_delete = contents(await documents.similaritySearch('aa', 4, { from: 'langchain' }))
console.log(JSON.stringify(told))
process.exit(0)
