
export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "documents": {
                  Row: {
                    "bm25": unknown,"chunk_index": number | null,"content": string,"content_hash": string,"created_at": string,"embedded_by": number | null,"embedded_hash": string | null,"embedding": string | null,"fts": unknown,"id": string,"language": string | null,"metadata": NonNullable<Json>,"source": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "bm25"?: unknown,"chunk_index"?: number | null,"content"?: string,"content_hash"?: string,"created_at"?: string,"embedded_by"?: number | null,"embedded_hash"?: string | null,"embedding"?: string | null,"fts"?: unknown,"id"?: string,"language"?: string | null,"metadata"?: NonNullable<Json>,"source"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "bm25"?: unknown,"chunk_index"?: number | null,"content"?: string,"content_hash"?: string,"created_at"?: string,"embedded_by"?: number | null,"embedded_hash"?: string | null,"embedding"?: string | null,"fts"?: unknown,"id"?: string,"language"?: string | null,"metadata"?: NonNullable<Json>,"source"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    
                  ]
                }
          }
          Views: {
            [_ in never]: never
          }
          Functions: {
            "claim_embeddings":
{ Args: { "batch"?: number,"collection"?: string,"lease"?: string,"worker"?: number }; Returns: {
              "attempts": number,"claimed_by": number,"content": string,"content_hash": string,"id": string
            }[]
                           },
"complete_embeddings":
{ Args: { "collection"?: string,"embeddings": Json,"model"?: string,"tokens"?: number }; Returns: number
                           },
"delete_documents":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"ids"?: (string)[],"source"?: string }; Returns: number
                           },
"document_context":
{ Args: { "after"?: number,"before"?: number,"collection"?: string,"document_id": string,"for_tenant"?: string }; Returns: {
              "chunk_index": number,"content": string,"id": string,"is_hit": boolean,"metadata": Json,"source": string
            }[]
                           },
"document_facets":
{ Args: { "collection"?: string,"field": string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"query_text"?: string }; Returns: {
              "documents": number,"value": string
            }[]
                           },
"embedding_model":
{ Args: { "collection"?: string }; Returns: {
              "dimensions": number,"model": string,"passage_prefix": string
            }[]
                           },
"fail_embeddings":
{ Args: { "collection"?: string,"failures": Json,"wait"?: string }; Returns: number
                           },
"hybrid_search":
{ Args: { "autocut"?: boolean,"candidates"?: number,"collection"?: string,"diversity"?: number,"filter"?: Json,"for_tenant"?: string,"full_text_weight"?: number,"fusion"?: string,"fuzzy"?: boolean,"group_by"?: string,"half_life"?: string,"match_count"?: number,"match_threshold"?: number,"prefix"?: boolean,"query_embedding"?: string,"query_text": string,"ranking"?: string,"recency_field"?: string,"rrf_k"?: number,"semantic_weight"?: number,"syntax"?: string }; Returns: {
              "content": string,"id": string,"keyword_rank": number,"keyword_score": number,"metadata": Json,"score": number,"semantic_rank": number,"similarity": number
            }[]
                           },
"keyword_search":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"fuzzy"?: boolean,"highlight"?: boolean,"mark_start"?: string,"mark_stop"?: string,"match_count"?: number,"match_threshold"?: number,"prefix"?: boolean,"query_text": string,"ranking"?: string,"syntax"?: string }; Returns: {
              "content": string,"headline": string,"id": string,"metadata": Json,"score": number
            }[]
                           },
"kw_match_documents":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"query_text": string }; Returns: {
              "content": string,"id": string,"metadata": Json,"similarity": number
            }[]
                           },
"match_documents":
{ Args: { "collection"?: string,"distance"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"match_threshold"?: number,"query_embedding": string }; Returns: {
              "content": string,"id": string,"metadata": Json,"similarity": number
            }[]
                           },
"match_documents_embeddings":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"match_threshold"?: number,"query_embedding": string }; Returns: {
              "content": string,"embedding": string,"id": string,"metadata": Json,"similarity": number
            }[]
                           },
"match_documents_mmr":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"match_threshold"?: number,"query_embedding": string }; Returns: {
              "content": string,"embedding": Json,"id": string,"metadata": Json,"similarity": number
            }[]
                           },
"match_vectors":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"match_threshold"?: number,"query_embedding": string }; Returns: {
              "id": string,"metadata": Json,"similarity": number
            }[]
                           },
"recommend_documents":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"match_count"?: number,"match_threshold"?: number,"negative"?: (string)[],"positive": (string)[] }; Returns: {
              "content": string,"id": string,"metadata": Json,"similarity": number
            }[]
                           },
"renew_embeddings":
{ Args: { "lease"?: string,"worker": number }; Returns: number
                           },
"search":
{ Args: { "collection"?: string,"filter"?: Json,"for_tenant"?: string,"group_by"?: string,"highlight"?: boolean,"match_count"?: number,"match_threshold"?: number,"query_embedding"?: string,"query_text": string }; Returns: {
              "content": string,"headline": string,"id": string,"keyword_score": number,"metadata": Json,"score": number,"similarity": number
            }[]
                           },
"suggest_completions":
{ Args: { "collection"?: string,"for_tenant"?: string,"match_count"?: number,"prefix": string }; Returns: {
              "completion": string,"documents": number
            }[]
                           },
"suggest_query":
{ Args: { "collection"?: string,"for_tenant"?: string,"query_text": string }; Returns: string
                           },
"upsert_documents":
{ Args: { "collection"?: string,"documents": Json,"for_tenant"?: string }; Returns: string[]
                           }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
